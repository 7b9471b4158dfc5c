-- Half of the rows are visitors of one event, the other half the history of the mixed workload's fingerprints, each from its
-- first event on; both spread evenly over the @minutes up to the minute @until (since 1970). Numbers are spread as Draw spreads them.
insert into events (fingerprint, sequence, id, action, product, created, occurred)
select 'v-' || lpad((number * @stride % @modulus)::text, 12, '0'), sequence, gen_random_uuid(), 'view', 'k8s',
    to_timestamp((@until - @minutes + 1 + minute) * 60), to_timestamp((@until - @minutes + 1 + minute) * 60)
from (
    select @filled_from + i as number, 1 as sequence, (i - 1) * @minutes / (@rows / 2) as minute
    from generate_series(1, @rows / 2) as i
    union all
    select @mixed_from + i % @mixed_fingerprints, i / @mixed_fingerprints + 1, i * @minutes / (@rows - @rows / 2)
    from generate_series(0, @rows - @rows / 2 - 1) as i
) as rows;

-- What the grains would have decided of them, for the app to merge: a proof holds. A mixed fingerprint's event before this
-- one is @mixed_fingerprints rows back.
insert into rollup_deltas (minute, hour, day, product, action, events,
    new_fingerprints, new_product_fingerprints, daily_fingerprints, daily_product_fingerprints)
select to_timestamp(minute * 60), to_timestamp(minute / 60 * 3600),
    (to_timestamp(minute * 60) at time zone 'UTC')::date, 'k8s', 'view', count(*),
    count(*) filter (where is_first), count(*) filter (where is_first),
    count(*) filter (where is_first or minute / 1440 > minute_before / 1440),
    count(*) filter (where is_first or minute / 1440 > minute_before / 1440)
from (
    select @until - @minutes + 1 + (i - 1) * @minutes / (@rows / 2) as minute, true as is_first, 0 as minute_before
    from generate_series(1, @rows / 2) as i
    union all
    select @until - @minutes + 1 + i * @minutes / (@rows - @rows / 2), i < @mixed_fingerprints,
        @until - @minutes + 1 + (i - @mixed_fingerprints) * @minutes / (@rows - @rows / 2)
    from generate_series(0, @rows - @rows / 2 - 1) as i
) as rows
group by minute;

-- The visits, as the merge would have made them.
insert into visits (day, product, fingerprint, events, first_seen, last_seen)
select (occurred at time zone 'UTC')::date, product, fingerprint, count(*), min(occurred), max(occurred)
from events
group by 1, 2, 3
order by 1, 2, 3;
