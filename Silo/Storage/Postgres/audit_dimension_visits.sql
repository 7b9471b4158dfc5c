select day, product, fingerprint, dimension, value, is_merged
from (
    select d.day, v.product, d.fingerprint, v.dimension, v.value, true as is_merged
    from dimension_visits d
    join dimension_values v on v.id = d.value
    union all
    select one.day, one.product, which.fingerprint, one.dimension, one.value, false
    from dimension_deltas m
    cross join lateral unnest(m.fingerprints, m.places) as which (fingerprint, place)
    join lateral unnest(m.days, m.products, m.dimensions, m."values")
        with ordinality as one (day, product, dimension, value, place) on one.place = which.place
) as parts
order by fingerprint collate "C"
