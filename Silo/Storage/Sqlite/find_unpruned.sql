select e.sequence
from json_each(@fingerprints) as gone
cross join events e on e.fingerprint = gone.value and e.sequence <= @sequences ->> gone.key
limit 1
