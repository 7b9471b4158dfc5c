select hour, product, action, sum(events)::bigint,
    sum(new_fingerprints)::bigint, sum(new_product_fingerprints)::bigint,
    sum(daily_fingerprints)::bigint, sum(daily_product_fingerprints)::bigint, day
from (
    select hour, day, product, action, events,
        new_fingerprints, new_product_fingerprints, daily_fingerprints, daily_product_fingerprints
    from rollup_hours
    union all
    select hour, day, product, action, events,
        new_fingerprints, new_product_fingerprints, daily_fingerprints, daily_product_fingerprints
    from rollup_deltas
) as parts
group by hour, day, product, action
order by hour, product, action
