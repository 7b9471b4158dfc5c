insert into firings (rule, fingerprint, sequence, occurred, state, next_attempt)
select one.rule, one.fingerprint, one.sequence, one.occurred,
    case when one.is_told then 'pending' else 'recorded' end, case when one.is_told then statement_timestamp() end
from unnest($1::integer[], $2::text[], $3::bigint[], $4::timestamptz[], $5::boolean[])
    as one (rule, fingerprint, sequence, occurred, is_told)
on conflict do nothing
