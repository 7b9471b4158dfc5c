select occurred, cast(properties as text)
from events
where fingerprint = @fingerprint
order by sequence desc
limit @limit
