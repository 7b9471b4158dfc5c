-- These events are folded, which needs the properties that are counted.
select oldest.fingerprint, oldest.sequence, oldest.id, oldest.action, oldest.product,
       oldest.created, oldest.occurred,
       case when oldest.dimensions is not null then oldest.properties::text end, oldest.dimensions,
       oldest.rules, oldest.matched
from unnest(@fingerprints::text[]) with ordinality as asked (fingerprint, place)
cross join lateral (
    select * from events e
    where e.fingerprint = asked.fingerprint
    order by e.sequence limit @limit
) as oldest
order by asked.place, oldest.sequence
