-- One statement sees one snapshot of the deltas: it deletes exactly what it adds.
with merged as (
    delete from visit_deltas
    where id in (select id from visit_deltas order by id limit @limit)
    returning *
),
added as (
    insert into visits as v (day, product, fingerprint, events, first_seen, last_seen)
    select (first_seen at time zone 'UTC')::date, product, fingerprint, sum(events), min(first_seen), max(last_seen)
    from (
        select one.*
        from merged m
        cross join lateral unnest(m.fingerprints, m.products, m.events, m.firsts, m.lasts)
            as one (fingerprint, product, events, first_seen, last_seen)
    ) as parts
    group by 1, 2, 3
    order by 1, 2, 3
    on conflict (day, product, fingerprint) do update set
        events = v.events + excluded.events,
        first_seen = least(v.first_seen, excluded.first_seen),
        last_seen = greatest(v.last_seen, excluded.last_seen)
),
parts as (
    select (visit.first_seen at time zone 'UTC')::date as day, visit.product, visit.fingerprint,
        one.dimension, one.value, one.events
    from merged m
    cross join lateral unnest(m.fingerprints, m.products, m.firsts)
        with ordinality as visit (fingerprint, product, first_seen, place)
    join lateral unnest(m.dimension_visits, m.dimensions, m.dimension_values, m.dimension_events)
        as one (place, dimension, value, events) on one.place = visit.place
    where m.dimensions is not null
),
-- Values that the day does not have yet, numbered.
new_values as (
    select product, dimension, day, value,
        row_number() over (partition by product, dimension, day order by value) as place
    from (select distinct product, dimension, day, value from parts) as p
    where not exists (
        select from dimension_values v
        where v.product = p.product and v.dimension = p.dimension and v.day = p.day and v.value = p.value)
),
-- How many more the day takes. Once something has counted as the empty value, it takes no more: so a value that is
-- there has all of its events.
room as (
    select product, dimension, day, case when exists (
            select from dimension_values v
            where v.product = n.product and v.dimension = n.dimension and v.day = n.day and v.value = '')
        then 0 else @values_max - (
            select count(*) from dimension_values v
            where v.product = n.product and v.dimension = n.dimension and v.day = n.day)
        end as values
    from (select distinct product, dimension, day from new_values) as n
),
refused as (
    select product, dimension, day, n.value
    from new_values n
    join room using (product, dimension, day)
    where n.place > room.values
),
counted as (
    select day, product, fingerprint, dimension, case when r.value is null then p.value else '' end as value,
        sum(p.events) as events
    from parts p
    left join refused r using (product, dimension, day, value)
    group by 1, 2, 3, 4, 5
),
known as (
    select c.*, exists (
        select from dimension_values v
        join dimension_visits d on d.day = c.day and d.fingerprint = c.fingerprint and d.value = v.id
        where v.product = c.product and v.dimension = c.dimension and v.day = c.day and v.value = c.value) as is_known
    from counted c
),
added_values as (
    insert into dimension_values as v (product, dimension, day, value, events, fingerprints)
    select product, dimension, day, value, sum(events), count(*) filter (where not is_known)
    from known
    group by 1, 2, 3, 4
    order by 1, 2, 3, 4
    on conflict (product, dimension, day, value) do update set
        events = v.events + excluded.events,
        fingerprints = v.fingerprints + excluded.fingerprints
    returning id, product, dimension, day, value
),
added_dimension_visits as (
    insert into dimension_visits as d (day, fingerprint, value, events)
    select k.day, k.fingerprint, v.id, k.events
    from known k
    join added_values v using (product, dimension, day, value)
    order by 1, 2, 3
    on conflict (day, fingerprint, value) do update set events = d.events + excluded.events
)
select count(*) from merged
