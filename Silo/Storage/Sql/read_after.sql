-- These events are only folded, which needs no properties.
select fingerprint, sequence, id, action, product, created, occurred, null
from events
where fingerprint = @fingerprint and sequence > @sequence
order by sequence
limit @limit
