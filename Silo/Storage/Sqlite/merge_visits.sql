-- Runs in one transaction. Ids are in the order of the commits, so the limit selects the same deltas in each statement.
insert into visits (day, product, fingerprint, events, first_seen, last_seen)
select substr(one.value ->> 3, 1, 10), one.value ->> 1, one.value ->> 0,
    sum(one.value ->> 2), min(one.value ->> 3), max(one.value ->> 4)
from (select visits from visit_deltas order by id limit @limit) as delta
cross join json_each(delta.visits) as one
where true
group by 1, 2, 3
on conflict (day, product, fingerprint) do update set
    events = events + excluded.events,
    first_seen = min(first_seen, excluded.first_seen),
    last_seen = max(last_seen, excluded.last_seen);

delete from visit_deltas
where id in (select id from visit_deltas order by id limit @limit);

select changes();
