select fingerprint, sequence, id, action, product, created, occurred, properties::text
from events
order by fingerprint, sequence
