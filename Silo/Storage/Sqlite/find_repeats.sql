-- Cross joins keep this order. In another order, each id would be looked for in its fingerprint's whole history.
select e.fingerprint, e.sequence, e.id, e.action, e.product, e.created, e.occurred, e.properties
from json_each(@fingerprints) as asked
cross join events e on e.fingerprint = asked.value and e.id = @ids ->> asked.key
