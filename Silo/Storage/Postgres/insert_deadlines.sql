insert into rule_deadlines (rule, fingerprint, sequence, occurred, due)
select * from unnest($1::integer[], $2::text[], $3::bigint[], $4::timestamptz[], $5::timestamptz[])
on conflict do nothing
