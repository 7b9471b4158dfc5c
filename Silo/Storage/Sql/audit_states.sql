-- The states of fingerprints' pruned events, and snapshots. A fingerprint's pruned state comes first.
select grain_key, payload, false as is_pruned
from snapshots
where payload is not null
union all
select '~' || fingerprint, state, true
from pruned
order by grain_key, is_pruned desc
