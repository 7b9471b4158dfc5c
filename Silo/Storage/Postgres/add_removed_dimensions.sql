-- All deltas are merged, so a value that its day does not have was counted as the empty one.
update dimension_values v set removed_events = v.removed_events + gone.events
from (
    select g.product, g.dimension, g.day, coalesce(known.value, '') as value, sum(g.events) as events
    from unnest(@days::date[], @products::text[], @dimensions::text[], @values::text[], @events::bigint[])
        as g (day, product, dimension, value, events)
    left join dimension_values known on known.product = g.product and known.dimension = g.dimension
        and known.day = g.day and known.value = g.value
    group by 1, 2, 3, 4
) as gone
where v.product = gone.product and v.dimension = gone.dimension and v.day = gone.day and v.value = gone.value
