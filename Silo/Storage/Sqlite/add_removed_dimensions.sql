-- All deltas are merged, so a value that its day does not have was counted as the empty one.
update dimension_values as v set removed_events = removed_events + gone.events
from (
    select coalesce(known.id, other.id) as id, sum(@events ->> g.key) as events
    from json_each(@values) as g
    left join dimension_values known on known.product = @products ->> g.key
        and known.dimension = @dimensions ->> g.key and known.day = @days ->> g.key and known.value = g.value
    left join dimension_values other on other.product = @products ->> g.key
        and other.dimension = @dimensions ->> g.key and other.day = @days ->> g.key and other.value = ''
    group by 1
) as gone
where v.id = gone.id
