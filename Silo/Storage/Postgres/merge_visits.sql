-- One statement sees one snapshot of the deltas: it deletes exactly what it adds.
with merged as (
    delete from visit_deltas
    where id in (select id from visit_deltas order by id limit @limit)
    returning *
),
added as (
    insert into visits as v (day, product, fingerprint, events, first_seen, last_seen)
    select day, product, fingerprint, sum(events), min(first_seen), max(last_seen)
    from (
        select one.*
        from merged m
        cross join lateral unnest(m.days, m.fingerprints, m.products, m.events, m.firsts, m.lasts)
            as one (day, fingerprint, product, events, first_seen, last_seen)
    ) as parts
    group by 1, 2, 3
    order by 1, 2, 3
    on conflict (day, product, fingerprint) do update set
        events = v.events + excluded.events,
        first_seen = least(v.first_seen, excluded.first_seen),
        last_seen = greatest(v.last_seen, excluded.last_seen)
),
-- What follows reads nothing while nobody watches the feed. While somebody does, it tells the feed of all deltas of
-- this snapshot that it does not have yet, also of those that are not merged now: so a fingerprint's newest event in
-- the snapshot is the last of its news.
watch as materialized (
    select events_max from feed_watch where until > statement_timestamp()
),
marked as (
    update visit_deltas set is_told = true
    where exists (select from watch) and not is_told and id not in (select id from merged)
    returning id, fingerprints, events
),
news as (
    select one.fingerprint, sum(one.events) as events, min(delta.id) as place
    from (
        select id, fingerprints, events from merged where not is_told
        union all
        select * from marked
    ) as delta
    cross join lateral unnest(delta.fingerprints, delta.events) as one (fingerprint, events)
    where exists (select from watch)
    group by 1
),
-- In the order of the commits.
placed as (
    select *, sum(events) over (order by place, fingerprint) - events as before
    from news
),
told as (
    select place, before, fingerprint, head.sequence - events + 1 as first_sequence, head.sequence as last_sequence
    from placed
    cross join lateral (
        select e.sequence from events e
        where e.fingerprint = placed.fingerprint
        order by e.sequence desc
        limit 1
    ) as head
    where before < (select events_max from watch)
),
fed as (
    insert into feed (told, fingerprint, first_sequence, last_sequence, skipped)
    select statement_timestamp(), fingerprint, first_sequence, last_sequence, skipped
    from (
        select place, fingerprint, first_sequence,
            least(last_sequence, first_sequence + (select events_max from watch) - before - 1) as last_sequence,
            0 as skipped
        from told
        union all
        select null, null, null, null, sum(events) - (select events_max from watch)
        from news
        having sum(events) > (select events_max from watch)
    ) as parts
    order by place
),
-- For the funnels that are kept.
changed as (
    insert into funnel_changes (fingerprint)
    select distinct one.fingerprint
    from merged m
    cross join lateral unnest(m.fingerprints, m.products) as one (fingerprint, product)
    where exists (select 1 from funnels where name is not null) -- looked at once, and first
        and exists (
            select 1 from funnels f
            where f.name is not null and (f.product is null or f.product = one.product))
)
select count(*) from merged
