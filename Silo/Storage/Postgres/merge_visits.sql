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
