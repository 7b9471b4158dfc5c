-- One statement, one moment: a merge moves deltas into counters, and none is seen twice or not at all.
select product, action, sum(events)
from (
    select product, action, events from counters
    union all
    select product, action, events from rollup_deltas
) as parts
group by product, action
