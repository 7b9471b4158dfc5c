select day, product, fingerprint, dimension, value, events, is_merged
from (
    select d.day, v.product, d.fingerprint, v.dimension, v.value, d.events, true as is_merged
    from dimension_visits d
    join dimension_values v on v.id = d.value
    union all
    select (visit.first_seen at time zone 'UTC')::date, visit.product, visit.fingerprint, one.dimension, one.value,
        one.events, false
    from visit_deltas m
    cross join lateral unnest(m.fingerprints, m.products, m.firsts)
        with ordinality as visit (fingerprint, product, first_seen, place)
    join lateral unnest(m.dimension_visits, m.dimensions, m.dimension_values, m.dimension_events)
        as one (place, dimension, value, events) on one.place = visit.place
    where m.dimensions is not null
) as parts
order by fingerprint collate "C"
