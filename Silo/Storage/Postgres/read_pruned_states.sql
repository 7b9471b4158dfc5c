select p.fingerprint, p.state
from unnest(@fingerprints::text[]) as asked (fingerprint)
join pruned p on p.fingerprint = asked.fingerprint
