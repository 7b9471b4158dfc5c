select fingerprint, sequence, occurred, action, product, case when @with_properties then properties::text end
from events
where fingerprint = any(@fingerprints) and action = any(@actions)
order by fingerprint, occurred, sequence
