-- What was pruned of a fingerprint, and then its snapshots.
select grain_key, payload, 0 as is_pruned
from snapshots
where payload is not null
union all
select '~' || fingerprint, state, 1
from pruned
order by grain_key, is_pruned desc
