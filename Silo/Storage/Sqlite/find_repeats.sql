-- Cross joins keep this order: with another, each id would be looked for in all of its fingerprint's history.
select e.fingerprint, e.sequence, e.id, e.action, e.product, e.created, e.occurred, e.properties
from json_each(@fingerprints) as asked
cross join events e on e.fingerprint = asked.value and e.id = @ids ->> asked.key
