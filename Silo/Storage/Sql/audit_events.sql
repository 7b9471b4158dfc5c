select fingerprint, sequence, id, action, product, created, occurred, cast(properties as text), dimensions, rules, matched
from events
order by fingerprint, sequence
