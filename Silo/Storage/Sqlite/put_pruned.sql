insert into pruned (fingerprint, sequence, state)
select value, @sequences ->> key, unhex(@states ->> key) from json_each(@fingerprints)
where true
on conflict (fingerprint) do update set sequence = excluded.sequence, state = excluded.state
