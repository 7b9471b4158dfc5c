select fingerprint, sequence, id, action, product, created, occurred, cast(properties as text)
from events
order by fingerprint, sequence
