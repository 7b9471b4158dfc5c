select e.fingerprint, e.sequence, e.id, e.action, e.product, e.created, e.occurred, e.properties
from json_each(@fingerprints) as asked
join json_each(@ids) as ids on ids.key = asked.key
join events e on e.fingerprint = asked.value and e.id = ids.value
