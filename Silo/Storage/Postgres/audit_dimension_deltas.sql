select one.day, one.product, one.dimension, one.value, one.events
from dimension_deltas m
cross join lateral unnest(m.days, m.products, m.dimensions, m."values", m.events)
    as one (day, product, dimension, value, events)
