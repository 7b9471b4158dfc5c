select asked.fingerprint, head.sequence
from unnest(@fingerprints::text[]) as asked (fingerprint)
cross join lateral (
    select coalesce(
        (select e.sequence from events e where e.fingerprint = asked.fingerprint order by e.sequence desc limit 1),
        (select p.sequence from pruned p where p.fingerprint = asked.fingerprint)) as sequence
) as head
where head.sequence is not null
