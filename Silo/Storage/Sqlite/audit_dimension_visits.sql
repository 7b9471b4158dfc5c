select day, product, fingerprint, dimension, value, events, is_merged
from (
    select d.day, v.product, d.fingerprint, v.dimension, v.value, d.events, true as is_merged
    from dimension_visits d
    join dimension_values v on v.id = d.value
    union all
    select substr(visit.value ->> 3, 1, 10), visit.value ->> 1, visit.value ->> 0, one.value ->> 0, one.value ->> 1,
        one.value ->> 2, false
    from visit_deltas m
    cross join json_each(m.visits) as visit
    cross join json_each(visit.value, '$[5]') as one
) as parts
order by fingerprint
