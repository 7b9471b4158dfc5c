select p.fingerprint, p.state
from json_each(@fingerprints) as asked
join pruned p on p.fingerprint = asked.value
