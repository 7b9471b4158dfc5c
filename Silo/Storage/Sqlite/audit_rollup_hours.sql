select hour, product, action, sum(events),
    sum(new_fingerprints), sum(new_product_fingerprints),
    sum(daily_fingerprints), sum(daily_product_fingerprints), day
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
