select fingerprint, sequence, id, action, product, created, occurred, cast(properties as text), dimensions
from events
order by fingerprint, sequence
