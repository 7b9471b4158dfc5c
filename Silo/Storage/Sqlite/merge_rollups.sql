-- Runs in one transaction. Ids are in the order of the commits, so the limit selects the same deltas in each statement.
insert into rollups (minute, product, action, events,
    new_fingerprints, new_product_fingerprints, daily_fingerprints, daily_product_fingerprints)
select minute, product, action, sum(events),
    sum(new_fingerprints), sum(new_product_fingerprints), sum(daily_fingerprints), sum(daily_product_fingerprints)
from (select * from rollup_deltas order by id limit @limit)
where true
group by minute, product, action
on conflict (minute, product, action) do update set
    events = events + excluded.events,
    new_fingerprints = new_fingerprints + excluded.new_fingerprints,
    new_product_fingerprints = new_product_fingerprints + excluded.new_product_fingerprints,
    daily_fingerprints = daily_fingerprints + excluded.daily_fingerprints,
    daily_product_fingerprints = daily_product_fingerprints + excluded.daily_product_fingerprints;

insert into rollup_hours (hour, day, product, action, events,
    new_fingerprints, new_product_fingerprints, daily_fingerprints, daily_product_fingerprints)
select hour, min(day), product, action, sum(events),
    sum(new_fingerprints), sum(new_product_fingerprints), sum(daily_fingerprints), sum(daily_product_fingerprints)
from (select * from rollup_deltas order by id limit @limit)
where true
group by 1, 3, 4
on conflict (hour, product, action) do update set
    events = events + excluded.events,
    new_fingerprints = new_fingerprints + excluded.new_fingerprints,
    new_product_fingerprints = new_product_fingerprints + excluded.new_product_fingerprints,
    daily_fingerprints = daily_fingerprints + excluded.daily_fingerprints,
    daily_product_fingerprints = daily_product_fingerprints + excluded.daily_product_fingerprints;

insert into counters (product, action, events)
select product, action, sum(events)
from (select * from rollup_deltas order by id limit @limit)
where true
group by product, action
on conflict (product, action) do update set events = events + excluded.events;

delete from rollup_deltas
where id in (select id from rollup_deltas order by id limit @limit);

select changes();
