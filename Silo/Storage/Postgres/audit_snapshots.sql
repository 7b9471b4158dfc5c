select grain_key, payload
from snapshots
where payload is not null
order by grain_key
