select day, product, fingerprint, sum(events)::bigint, min(first_seen), max(last_seen)
from (
    select day, product, fingerprint, events, first_seen, last_seen
    from visits
    union all
    select one.day, one.product, one.fingerprint, one.events, one.first_seen, one.last_seen
    from visit_deltas d
    cross join lateral unnest(d.days, d.fingerprints, d.products, d.events, d.firsts, d.lasts)
        as one (day, fingerprint, product, events, first_seen, last_seen)
) as parts
group by day, product, fingerprint
order by fingerprint collate "C", day, product
