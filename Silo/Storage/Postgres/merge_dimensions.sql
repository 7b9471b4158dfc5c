-- One statement sees one snapshot of the deltas: it deletes exactly what it adds.
with merged as (
    delete from dimension_deltas
    where id in (select id from dimension_deltas order by id limit @limit)
    returning *
),
counts as (
    select one.product, one.dimension, one.day, one.value, sum(one.events) as events
    from merged m
    cross join lateral unnest(m.days, m.products, m.dimensions, m."values", m.events)
        as one (day, product, dimension, value, events)
    group by 1, 2, 3, 4
),
-- Values that the day does not have yet, numbered.
new_values as (
    select product, dimension, day, value,
        row_number() over (partition by product, dimension, day order by value) as place
    from counts c
    where not exists (
        select from dimension_values v
        where v.product = c.product and v.dimension = c.dimension and v.day = c.day and v.value = c.value)
),
-- How many more the day takes. Once something has counted as the empty value, it takes no more: so a value that is
-- there has all of its events.
room as materialized (
    select product, dimension, day, case when exists (
            select from dimension_values v
            where v.product = n.product and v.dimension = n.dimension and v.day = n.day and v.value = '')
        then 0 else @values_max - (
            select count(*) from dimension_values v
            where v.product = n.product and v.dimension = n.dimension and v.day = n.day)
        end as places
    from (select distinct product, dimension, day from new_values) as n
),
refused as (
    select product, dimension, day, value
    from new_values n
    join room using (product, dimension, day)
    where place > places
),
visits as (
    select distinct product, dimension, day, case when r.value is null then one.value else '' end as value,
        which.fingerprint
    from merged m
    cross join lateral unnest(m.fingerprints, m.places) as which (fingerprint, place)
    join lateral unnest(m.days, m.products, m.dimensions, m."values")
        with ordinality as one (day, product, dimension, value, place) on one.place = which.place
    left join refused r using (product, dimension, day, value)
),
new_visits as materialized (
    select *
    from visits n
    where not exists (
        select from dimension_values v
        join dimension_visits d on d.day = n.day and d.fingerprint = n.fingerprint and d.value = v.id
        where v.product = n.product and v.dimension = n.dimension and v.day = n.day and v.value = n.value)
),
added as (
    insert into dimension_values as v (product, dimension, day, value, events, fingerprints)
    select product, dimension, day, value, sum(events), sum(fingerprints)
    from (
        select product, dimension, day, case when r.value is null then c.value else '' end as value, events,
            0 as fingerprints
        from counts c
        left join refused r using (product, dimension, day, value)
        union all
        select product, dimension, day, value, 0, 1
        from new_visits
    ) as parts
    group by 1, 2, 3, 4
    order by 1, 2, 3, 4
    on conflict (product, dimension, day, value) do update set
        events = v.events + excluded.events,
        fingerprints = v.fingerprints + excluded.fingerprints
    returning id, product, dimension, day, value
),
added_visits as (
    insert into dimension_visits (day, fingerprint, value)
    select day, n.fingerprint, a.id
    from new_visits n
    join added a using (product, dimension, day, value)
    order by 1, 2, 3
)
select count(*) from merged
