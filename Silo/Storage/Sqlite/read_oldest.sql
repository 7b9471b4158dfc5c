-- These events are folded, which needs the properties that are counted.
select e.fingerprint, e.sequence, e.id, e.action, e.product, e.created, e.occurred,
       case when e.dimensions is not null then e.properties end, e.dimensions,
       e.rules, e.matched
from json_each(@fingerprints) as asked
cross join events e on e.fingerprint = asked.value
where e.sequence < (select min(sequence) from events where fingerprint = asked.value) + @limit
order by asked.key, e.sequence
