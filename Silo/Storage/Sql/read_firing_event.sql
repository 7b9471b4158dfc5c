select id, product, action, properties
from events
where fingerprint = @fingerprint and sequence = @sequence
