-- One statement sees one snapshot of the deltas: it deletes exactly what it adds.
with merged as (
    delete from rollup_deltas
    where id in (select id from rollup_deltas order by id limit @limit)
    returning *
),
noted as (
    insert into counters as c (product, action, events)
    select product, action, sum(events) from merged
    group by product, action
    on conflict (product, action) do update set events = c.events + excluded.events
),
added as (
    insert into rollups as r (minute, product, action, events,
        new_fingerprints, new_product_fingerprints, daily_fingerprints, daily_product_fingerprints)
    select minute, product, action, sum(events),
        sum(new_fingerprints), sum(new_product_fingerprints), sum(daily_fingerprints), sum(daily_product_fingerprints)
    from merged
    group by minute, product, action
    on conflict (minute, product, action) do update set
        events = r.events + excluded.events,
        new_fingerprints = r.new_fingerprints + excluded.new_fingerprints,
        new_product_fingerprints = r.new_product_fingerprints + excluded.new_product_fingerprints,
        daily_fingerprints = r.daily_fingerprints + excluded.daily_fingerprints,
        daily_product_fingerprints = r.daily_product_fingerprints + excluded.daily_product_fingerprints
),
added_hours as (
    insert into rollup_hours as h (hour, day, product, action, events,
        new_fingerprints, new_product_fingerprints, daily_fingerprints, daily_product_fingerprints)
    select hour, min(day), product, action, sum(events),
        sum(new_fingerprints), sum(new_product_fingerprints), sum(daily_fingerprints), sum(daily_product_fingerprints)
    from merged
    group by 1, 3, 4
    on conflict (hour, product, action) do update set
        events = h.events + excluded.events,
        new_fingerprints = h.new_fingerprints + excluded.new_fingerprints,
        new_product_fingerprints = h.new_product_fingerprints + excluded.new_product_fingerprints,
        daily_fingerprints = h.daily_fingerprints + excluded.daily_fingerprints,
        daily_product_fingerprints = h.daily_product_fingerprints + excluded.daily_product_fingerprints
)
select count(*) from merged
