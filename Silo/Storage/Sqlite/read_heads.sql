select e.fingerprint, max(e.sequence)
from json_each(@fingerprints) as asked
join events e on e.fingerprint = asked.value
group by e.fingerprint
