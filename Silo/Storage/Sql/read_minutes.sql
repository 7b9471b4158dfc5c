-- In which events of a product and an action occurred; what is not merged is in the deltas.
select minute, cast(sum(events) as bigint)
from (
    select minute, events
    from rollups
    where minute >= @from and product = @product and action = @action
    union all
    select minute, events
    from rollup_deltas
    where minute >= @from and product = @product and action = @action
) as parts
group by minute
order by minute
