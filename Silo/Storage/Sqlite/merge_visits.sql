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

-- While somebody watches, the feed is told of all deltas that it does not have yet, also of those that are not merged
-- now: so a fingerprint's newest event is the last of its news.
with watch as materialized (
    select events_max from feed_watch where until > unixepoch()
),
news as materialized (
    select one.value ->> 1 as fingerprint, sum(one.value ->> 3) as events, min(delta.id) as place
    from watch
    cross join visit_deltas as delta
    cross join json_each(delta.visits) as one
    where not delta.is_told
    group by 1
),
-- In the order of the commits.
placed as (
    select *, sum(events) over (order by place, fingerprint) - events as before
    from news
),
told as (
    select place, before, fingerprint, events,
        (select max(e.sequence) from events e where e.fingerprint = placed.fingerprint) as head
    from placed
    where before < (select events_max from watch)
)
insert into feed (told, fingerprint, first_sequence, last_sequence, skipped)
select unixepoch(), fingerprint, first_sequence, last_sequence, skipped
from (
    select place, fingerprint, head - events + 1 as first_sequence,
        min(head, head - events + (select events_max from watch) - before) as last_sequence, 0 as skipped
    from told
    where head is not null
    union all
    select null, null, null, null, sum(events) - (select events_max from watch)
    from news
    having sum(events) > (select events_max from watch)
)
order by place nulls last;

update visit_deltas set is_told = true
where exists (select 1 from feed_watch where until > unixepoch()) and not is_told
    and id not in (select id from visit_deltas order by id limit @limit);

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
