-- Runs in one transaction. Ids are in the order of the commits, so the limit selects the same deltas in each statement.
-- The temporary tables are empty before and after.
create temp table if not exists merged_counts (
    product   text not null,
    dimension text not null,
    day       text not null,
    value     text not null,
    events    integer not null,
    primary key (product, dimension, day, value)
) without rowid;

create temp table if not exists merged_visits (
    day         text not null,
    fingerprint text not null,
    value       integer not null,
    primary key (day, fingerprint, value)
) without rowid;

insert into merged_counts (product, dimension, day, value, events)
select one.value ->> 1, one.value ->> 2, one.value ->> 0, one.value ->> 3, one.value ->> 4
from (select counts from dimension_deltas order by id limit @limit) as delta
cross join json_each(delta.counts) as one
where true
on conflict do update set events = events + excluded.events;

-- Values that the day does not have yet, as far as it takes them. Once something has counted as the empty value, it
-- takes no more: so a value that is there has all of its events.
with new_values as (
    select product, dimension, day, value,
        row_number() over (partition by product, dimension, day order by value) as place
    from merged_counts c
    where not exists (
        select 1 from dimension_values v
        where v.product = c.product and v.dimension = c.dimension and v.day = c.day and v.value = c.value)
),
room as materialized (
    select product, dimension, day, case when exists (
            select 1 from dimension_values v
            where v.product = n.product and v.dimension = n.dimension and v.day = n.day and v.value = '')
        then 0 else @values_max - (
            select count(*) from dimension_values v
            where v.product = n.product and v.dimension = n.dimension and v.day = n.day)
        end as places
    from (select distinct product, dimension, day from new_values) as n
)
insert into dimension_values (product, dimension, day, value, events, fingerprints)
select product, dimension, day, case when place <= places then value else '' end, 0, 0
from new_values
join room using (product, dimension, day)
where true
on conflict do nothing;

update dimension_values as v set events = v.events + sums.events
from (
    select coalesce(known.id, other.id) as id, sum(c.events) as events
    from merged_counts c
    left join dimension_values known on known.product = c.product and known.dimension = c.dimension
        and known.day = c.day and known.value = c.value
    left join dimension_values other on other.product = c.product and other.dimension = c.dimension
        and other.day = c.day and other.value = ''
    group by 1
) as sums
where v.id = sums.id;

-- Those that have it for the first time.
insert into merged_visits (day, fingerprint, value)
select one.value ->> 0, which.value, coalesce(known.id, other.id)
from (select counts from dimension_deltas order by id limit @limit) as delta
cross join json_each(delta.counts) as one
left join dimension_values known on known.product = one.value ->> 1 and known.dimension = one.value ->> 2
    and known.day = one.value ->> 0 and known.value = one.value ->> 3
left join dimension_values other on other.product = one.value ->> 1 and other.dimension = one.value ->> 2
    and other.day = one.value ->> 0 and other.value = ''
cross join json_each(one.value, '$[5]') as which
where not exists (
    select 1 from dimension_visits d
    where d.day = one.value ->> 0 and d.fingerprint = which.value and d.value = coalesce(known.id, other.id))
on conflict do nothing;

update dimension_values as v set fingerprints = v.fingerprints + news.fingerprints
from (select value, count(*) as fingerprints from merged_visits group by value) as news
where v.id = news.value;

insert into dimension_visits (day, fingerprint, value)
select day, fingerprint, value from merged_visits;

delete from merged_counts;

delete from merged_visits;

delete from dimension_deltas
where id in (select id from dimension_deltas order by id limit @limit);

select changes();
