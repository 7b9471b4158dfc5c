select fingerprint, sequence, id, action, product, created, occurred, properties
from events
order by fingerprint, sequence
