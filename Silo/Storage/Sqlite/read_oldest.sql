-- These events are only folded, which needs no properties.
select e.fingerprint, e.sequence, e.id, e.action, e.product, e.created, e.occurred, null
from json_each(@fingerprints) as asked
cross join events e on e.fingerprint = asked.value
where e.sequence < (select min(sequence) from events where fingerprint = asked.value) + @limit
order by asked.key, e.sequence
