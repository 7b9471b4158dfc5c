-- All deltas, and the days and products in which a silo of the version before has recorded: those are counted anew from the
-- log. One statement, one snapshot: what it deletes is exactly what it counts.
with gap as (
    delete from visit_gaps
    returning day, product
),
merged as (
    delete from visit_deltas
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
    where ((first_seen at time zone 'UTC')::date, product) not in (select day, product from gap)
    group by 1, 2, 3
    on conflict (day, product, fingerprint) do update set
        events = v.events + excluded.events,
        first_seen = least(v.first_seen, excluded.first_seen),
        last_seen = greatest(v.last_seen, excluded.last_seen)
),
counted as (
    insert into visits (day, product, fingerprint, events, first_seen, last_seen)
    select (occurred at time zone 'UTC')::date, product, fingerprint, count(*), min(occurred), max(occurred)
    from events
    where ((occurred at time zone 'UTC')::date, product) in (select day, product from gap)
    group by 1, 2, 3
    on conflict (day, product, fingerprint) do update set
        events = excluded.events,
        first_seen = excluded.first_seen,
        last_seen = excluded.last_seen
)
select count(*) from merged
