select asked.fingerprint, head.sequence
from unnest(@fingerprints::text[]) as asked (fingerprint)
cross join lateral (
    select e.sequence from events e
    where e.fingerprint = asked.fingerprint
    order by e.sequence desc limit 1
) as head
