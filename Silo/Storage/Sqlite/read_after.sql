-- They are only added up, for which nobody needs their properties.
select fingerprint, sequence, id, action, product, created, occurred, null
from events
where fingerprint = @fingerprint and sequence > @sequence
order by sequence
limit @limit
