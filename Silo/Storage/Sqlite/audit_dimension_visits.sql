select day, product, fingerprint, dimension, value, is_merged
from (
    select d.day, v.product, d.fingerprint, v.dimension, v.value, true as is_merged
    from dimension_visits d
    join dimension_values v on v.id = d.value
    union all
    select one.value ->> 0, one.value ->> 1, which.value, one.value ->> 2, one.value ->> 3, false
    from dimension_deltas m
    cross join json_each(m.counts) as one
    cross join json_each(one.value, '$[5]') as which
) as parts
order by fingerprint
