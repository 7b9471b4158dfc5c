-- The rollups once more, by the hour: what a question about months reads instead of minutes. The merge keeps both.
create table rollup_hours (
    hour                       timestamptz not null,
    product                    text collate "C" not null,
    action                     text collate "C" not null,
    events                     bigint not null,
    new_fingerprints           bigint not null,
    new_product_fingerprints   bigint not null,
    daily_fingerprints         bigint not null,
    daily_product_fingerprints bigint not null,
    constraint rollup_hours_pkey primary key (hour, product, action)
);

-- One product among many. An hour's row is begun once and then updated, which touches no index.
create index rollup_hours_product_idx on rollup_hours (product, hour);

-- That a row's counts are in its hour, too. Without a default, so that the merge of a silo of the version before, which knows
-- no hours, fails while both versions run: its deltas wait for a silo of this one.
alter table rollups add column in_hours boolean not null default true;
alter table rollups alter column in_hours drop default;

insert into rollup_hours (hour, product, action, events,
    new_fingerprints, new_product_fingerprints, daily_fingerprints, daily_product_fingerprints)
select date_trunc('hour', minute, 'UTC'), product, action, sum(events),
    sum(new_fingerprints), sum(new_product_fingerprints), sum(daily_fingerprints), sum(daily_product_fingerprints)
from rollups
group by 1, 2, 3;
