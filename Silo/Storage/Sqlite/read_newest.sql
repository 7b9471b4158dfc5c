select e.fingerprint, e.sequence, e.id, e.action, e.product, e.created, e.occurred, e.properties
from json_each(@fingerprints) as asked
join events e on e.fingerprint = asked.value
where e.sequence > (select max(sequence) from events where fingerprint = asked.value) - @limit
order by e.fingerprint, e.sequence desc
