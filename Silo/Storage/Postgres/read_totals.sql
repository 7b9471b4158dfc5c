-- Whole hours come from rollup_hours, the minutes around them from rollups, and what is not merged from the deltas. One
-- statement sees one moment, in which each event is in only one of them. The hours of one product have an index of
-- their own, which a plan for any value of a parameter would not use: so there are two branches, one of which is always
-- empty. A day, a week and a month are named by their first day. float8 holds whole numbers exactly up to 2^53. The sum
-- of bigint is numeric, with which all of this would take half as long again.
select
    case @bucket
        when 'minute' then minute
        when 'hour' then hour
        when 'all' then @from
        else date_trunc(@bucket, day::timestamp) at time zone 'UTC'
    end as bucket,
    case when @by_product then product end as product,
    case when @by_action then action end as action,
    sum(events::float8)::bigint,
    sum(new_fingerprints::float8)::bigint, sum(new_product_fingerprints::float8)::bigint,
    sum(daily_fingerprints::float8)::bigint, sum(daily_product_fingerprints::float8)::bigint
from (
    select null::timestamptz as minute, hour, day, product, action, events,
        new_fingerprints, new_product_fingerprints, daily_fingerprints, daily_product_fingerprints
    from rollup_hours
    where @product::text is null and hour >= @hours_from and hour < @hours_to
    union all
    select null::timestamptz, hour, day, product, action, events,
        new_fingerprints, new_product_fingerprints, daily_fingerprints, daily_product_fingerprints
    from rollup_hours
    where product = @product::text and hour >= @hours_from and hour < @hours_to
    union all
    select minute, null::timestamptz, null::date, product, action, events,
        new_fingerprints, new_product_fingerprints, daily_fingerprints, daily_product_fingerprints
    from rollups
    where minute >= @from and minute < @hours_from
    union all
    select minute, null::timestamptz, null::date, product, action, events,
        new_fingerprints, new_product_fingerprints, daily_fingerprints, daily_product_fingerprints
    from rollups
    where minute >= @hours_to and minute < @to
    union all
    select minute, hour, day, product, action, events,
        new_fingerprints, new_product_fingerprints, daily_fingerprints, daily_product_fingerprints
    from rollup_deltas
    where minute >= @from and minute < @to
) as parts
where (@product::text is null or product = @product::text) and (@action::text is null or action = @action::text)
group by 1, 2, 3
order by
    case @order
        when 1 then sum(events::float8)
        when 2 then sum(new_fingerprints::float8)
        when 3 then sum(new_product_fingerprints::float8)
        when 4 then sum(daily_product_fingerprints::float8)
    end desc nulls last, 1, 2, 3
limit @limit
