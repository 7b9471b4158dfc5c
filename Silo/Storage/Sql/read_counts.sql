-- One statement sees one moment. So while a merge moves deltas into counters, no event is missed or counted twice.
select product, action, cast(sum(events) as bigint)
from (
    select product, action, events from counters
    union all
    select product, action, events from rollup_deltas
) as parts
group by product, action
