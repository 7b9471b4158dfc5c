-- Materialized, so that the one is looked up in the other: side by side, the two lists would be read again for each event.
with fingerprints as materialized (select key, value from json_each(@fingerprints)),
     ids as materialized (select key, value from json_each(@ids))
select e.fingerprint, e.sequence, e.id, e.action, e.product, e.created, e.occurred, e.properties
from fingerprints
cross join ids on ids.key = fingerprints.key
cross join events e on e.fingerprint = fingerprints.value and e.id = ids.value
