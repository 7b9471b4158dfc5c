select minute, product, action, sum(events),
    sum(new_fingerprints), sum(new_product_fingerprints),
    sum(daily_fingerprints), sum(daily_product_fingerprints)
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
