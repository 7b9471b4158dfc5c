-- Whole hours come from rollup_hours, the minutes around them from rollups, and what is not merged from the deltas. One
-- statement sees one moment, in which each event is in only one of them. The hours of one product have an index of
-- their own, which a plan for any value of a parameter would not use: so there are two branches, one of which is always
-- empty. A day, a week and a month are named by their first day.
select
    case @bucket
        when 'minute' then minute
        when 'hour' then hour
        when 'day' then day || 'T00:00:00.000000Z'
        when 'week' then date(day, 'weekday 0', '-6 days') || 'T00:00:00.000000Z'
        when 'month' then substr(day, 1, 8) || '01T00:00:00.000000Z'
        else @from
    end as bucket,
    case when @by_product then product end as product,
    case when @by_action then action end as action,
    sum(events),
    sum(new_fingerprints), sum(new_product_fingerprints),
    sum(daily_fingerprints), sum(daily_product_fingerprints)
from (
    select null as minute, hour, day, product, action, events,
        new_fingerprints, new_product_fingerprints, daily_fingerprints, daily_product_fingerprints
    from rollup_hours
    where @product is null and hour >= @hours_from and hour < @hours_to
    union all
    select null, hour, day, product, action, events,
        new_fingerprints, new_product_fingerprints, daily_fingerprints, daily_product_fingerprints
    from rollup_hours
    where product = @product and hour >= @hours_from and hour < @hours_to
    union all
    select minute, null, null, product, action, events,
        new_fingerprints, new_product_fingerprints, daily_fingerprints, daily_product_fingerprints
    from rollups
    where minute >= @from and minute < @hours_from
    union all
    select minute, null, null, product, action, events,
        new_fingerprints, new_product_fingerprints, daily_fingerprints, daily_product_fingerprints
    from rollups
    where minute >= @hours_to and minute < @to
    union all
    select minute, hour, day, product, action, events,
        new_fingerprints, new_product_fingerprints, daily_fingerprints, daily_product_fingerprints
    from rollup_deltas
    where minute >= @from and minute < @to
) as parts
where (@product is null or product = @product) and (@action is null or action = @action)
group by 1, 2, 3
order by
    case @order
        when 1 then sum(events)
        when 2 then sum(new_fingerprints)
        when 3 then sum(new_product_fingerprints)
        when 4 then sum(daily_product_fingerprints)
    end desc nulls last, 1, 2, 3
limit @limit
