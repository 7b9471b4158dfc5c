select newest.fingerprint, newest.sequence, newest.id, newest.action, newest.product,
       newest.created, newest.occurred, newest.properties::text
from unnest(@fingerprints::text[]) as asked (fingerprint)
cross join lateral (
    select * from events e
    where e.fingerprint = asked.fingerprint
    order by e.sequence desc limit @limit
) as newest
