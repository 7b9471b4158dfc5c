-- These events are only folded, which needs no properties.
select oldest.fingerprint, oldest.sequence, oldest.id, oldest.action, oldest.product,
       oldest.created, oldest.occurred, null
from unnest(@fingerprints::text[]) with ordinality as asked (fingerprint, place)
cross join lateral (
    select * from events e
    where e.fingerprint = asked.fingerprint
    order by e.sequence limit @limit
) as oldest
order by asked.place, oldest.sequence
