insert into pruned (fingerprint, sequence, state)
select * from unnest(@fingerprints::text[], @sequences::bigint[], @states::bytea[])
on conflict (fingerprint) do update set sequence = excluded.sequence, state = excluded.state
