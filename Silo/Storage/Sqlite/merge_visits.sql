-- Runs in one transaction. Ids are in the order of the commits, so the limit selects the same deltas in each statement.
insert into visits (day, product, fingerprint, events, first_seen, last_seen)
select substr(one.value ->> 3, 1, 10), one.value ->> 1, one.value ->> 0,
    sum(one.value ->> 2), min(one.value ->> 3), max(one.value ->> 4)
from (select visits from visit_deltas order by id limit @limit) as delta
cross join json_each(delta.visits) as one
where true
group by 1, 2, 3
on conflict (day, product, fingerprint) do update set
    events = events + excluded.events,
    first_seen = min(first_seen, excluded.first_seen),
    last_seen = max(last_seen, excluded.last_seen);

-- What the events' properties add: empty before and after.
create temp table if not exists parts (
    product     text not null,
    dimension   text not null,
    day         text not null,
    value       text not null,
    fingerprint text not null,
    events      integer not null,
    primary key (product, dimension, day, value, fingerprint)
) without rowid;

insert into parts (product, dimension, day, value, fingerprint, events)
select visit.value ->> 1, one.value ->> 0, substr(visit.value ->> 3, 1, 10), one.value ->> 1, visit.value ->> 0,
    one.value ->> 2
from (select visits from visit_deltas order by id limit @limit) as delta
cross join json_each(delta.visits) as visit
cross join json_each(visit.value, '$[5]') as one
where true
on conflict do update set events = events + excluded.events;

-- Values that the day does not have yet, as far as it takes them. Once something has counted as the empty value, it
-- takes no more: so a value that is there has all of its events.
insert into dimension_values (product, dimension, day, value, events, fingerprints)
select product, dimension, day, value, 0, 0
from (
    select product, dimension, day, value,
        row_number() over (partition by product, dimension, day order by value) as place
    from (select distinct product, dimension, day, value from parts) as p
    where not exists (
        select 1 from dimension_values v
        where v.product = p.product and v.dimension = p.dimension and v.day = p.day and v.value = p.value)
) as n
join (
    select product, dimension, day, case when exists (
            select 1 from dimension_values v
            where v.product = p.product and v.dimension = p.dimension and v.day = p.day and v.value = '')
        then 0 else @values_max - (
            select count(*) from dimension_values v
            where v.product = p.product and v.dimension = p.dimension and v.day = p.day)
        end as places
    from (select distinct product, dimension, day from parts) as p
) as room using (product, dimension, day)
where place <= places;

insert into parts (product, dimension, day, value, fingerprint, events)
select product, dimension, day, '', fingerprint, sum(events)
from parts p
where not exists (
    select 1 from dimension_values v
    where v.product = p.product and v.dimension = p.dimension and v.day = p.day and v.value = p.value)
group by product, dimension, day, fingerprint;

insert into dimension_values (product, dimension, day, value, events, fingerprints)
select distinct product, dimension, day, '', 0, 0 from parts where value = ''
on conflict do nothing;

update dimension_values as v set
    events = v.events + sums.events,
    fingerprints = v.fingerprints + sums.fingerprints
from (
    select v.id, sum(p.events) as events, sum(not exists (
        select 1 from dimension_visits d
        where d.day = p.day and d.fingerprint = p.fingerprint and d.value = v.id)) as fingerprints
    from parts p
    cross join dimension_values v
        on v.product = p.product and v.dimension = p.dimension and v.day = p.day and v.value = p.value
    group by v.id
) as sums
where v.id = sums.id;

insert into dimension_visits (day, fingerprint, value, events)
select p.day, p.fingerprint, v.id, p.events
from parts p
cross join dimension_values v
    on v.product = p.product and v.dimension = p.dimension and v.day = p.day and v.value = p.value
where true
on conflict (day, fingerprint, value) do update set events = events + excluded.events;

delete from parts;

delete from visit_deltas
where id in (select id from visit_deltas order by id limit @limit);

select changes();
