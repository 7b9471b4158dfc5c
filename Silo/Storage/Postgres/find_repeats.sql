select e.fingerprint, e.sequence, e.id, e.action, e.product, e.created, e.occurred, e.properties::text
from unnest(@fingerprints::text[], @ids::uuid[]) as asked (fingerprint, id)
join events e on e.fingerprint = asked.fingerprint and e.id = asked.id
