-- Runs in one transaction. Ids are in the order of the commits, so the limit selects the same deltas in each statement.
insert into visits (day, product, fingerprint, events, first_seen, last_seen)
select one.value ->> 0, one.value ->> 2, one.value ->> 1,
    sum(one.value ->> 3), min(one.value ->> 4), max(one.value ->> 5)
from (select visits from visit_deltas order by id limit @limit) as delta
cross join json_each(delta.visits) as one
where true
group by 1, 2, 3
on conflict (day, product, fingerprint) do update set
    events = events + excluded.events,
    first_seen = min(first_seen, excluded.first_seen),
    last_seen = max(last_seen, excluded.last_seen);

-- For the funnels that are kept. If there is none, nothing else is read.
insert into funnel_changes (fingerprint)
select distinct one.value ->> 1
from (select 1 from funnels where name is not null limit 1) as any_funnel
cross join (select visits from visit_deltas order by id limit @limit) as delta
cross join json_each(delta.visits) as one
where exists (
    select 1 from funnels f where f.name is not null and (f.product is null or f.product = one.value ->> 2));

delete from visit_deltas
where id in (select id from visit_deltas order by id limit @limit);

select changes();
