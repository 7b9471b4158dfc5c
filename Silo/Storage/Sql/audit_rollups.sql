select minute, product, action, cast(sum(events) as bigint),
    cast(sum(new_fingerprints) as bigint), cast(sum(new_product_fingerprints) as bigint),
    cast(sum(daily_fingerprints) as bigint), cast(sum(daily_product_fingerprints) as bigint)
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
