select e.sequence
from unnest(@fingerprints::text[], @sequences::bigint[]) as gone (fingerprint, sequence)
join events e on e.fingerprint = gone.fingerprint and e.sequence <= gone.sequence
limit 1
