-- The rollups once more, by the hour: what a question about months reads instead of minutes. The merge keeps both.
create table rollup_hours (
    hour                       text not null,
    product                    text not null,
    action                     text not null,
    events                     integer not null,
    new_fingerprints           integer not null,
    new_product_fingerprints   integer not null,
    daily_fingerprints         integer not null,
    daily_product_fingerprints integer not null,
    primary key (hour, product, action)
) strict, without rowid;

-- One product among many.
create index rollup_hours_product_idx on rollup_hours (product, hour);

insert into rollup_hours (hour, product, action, events,
    new_fingerprints, new_product_fingerprints, daily_fingerprints, daily_product_fingerprints)
select substr(minute, 1, 13) || ':00:00.000000Z', product, action, sum(events),
    sum(new_fingerprints), sum(new_product_fingerprints), sum(daily_fingerprints), sum(daily_product_fingerprints)
from rollups
group by 1, 2, 3;
