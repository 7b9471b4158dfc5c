select hour, product, action, sum(events)::bigint,
    sum(new_fingerprints)::bigint, sum(new_product_fingerprints)::bigint,
    sum(daily_fingerprints)::bigint, sum(daily_product_fingerprints)::bigint
from (
    select hour, product, action, events,
        new_fingerprints, new_product_fingerprints, daily_fingerprints, daily_product_fingerprints
    from rollup_hours
    union all
    select date_trunc('hour', minute, 'UTC'), product, action, events,
        new_fingerprints, new_product_fingerprints, daily_fingerprints, daily_product_fingerprints
    from rollup_deltas
) as parts
group by hour, product, action
order by hour, product, action
