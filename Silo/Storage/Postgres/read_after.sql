select fingerprint, sequence, id, action, product, created, occurred, properties::text
from events
where fingerprint = @fingerprint and sequence > @sequence
order by sequence
limit @limit
