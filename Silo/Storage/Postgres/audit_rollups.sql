select minute, product, action, sum(events)::bigint,
    sum(new_fingerprints)::bigint, sum(new_product_fingerprints)::bigint,
    sum(daily_fingerprints)::bigint, sum(daily_product_fingerprints)::bigint
from (
    select minute, product, action, events,
        new_fingerprints, new_product_fingerprints, daily_fingerprints, daily_product_fingerprints
    from rollups
    union all
    select minute, product, action, events,
        new_fingerprints, new_product_fingerprints, daily_fingerprints, daily_product_fingerprints
    from rollup_deltas
) as parts
group by minute, product, action
order by minute, product, action
