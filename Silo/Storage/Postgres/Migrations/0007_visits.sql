-- One row for each UTC day on which a fingerprint used a product: it grows with visits, not with events. The key is its
-- only index, and each page keeps some room, so that adding to a row of today touches no index.
create table visits (
    day         date not null,
    product     text collate "C" not null,
    fingerprint text collate "C" not null,
    events      bigint not null,
    first_seen  timestamptz not null,
    last_seen   timestamptz not null,
    constraint visits_pkey primary key (day, product, fingerprint)
) with (fillfactor = 85);

-- What commit batches append, one row each, until a background job adds it to visits. A visit's day is that of its first
-- event. Not compressed: a batch would wait for it.
create table visit_deltas (
    id           bigint generated always as identity primary key,
    fingerprints text[] not null,
    products     text[] not null,
    events       integer[] not null,
    firsts       timestamptz[] not null,
    lasts        timestamptz[] not null
);

alter table visit_deltas
    alter column fingerprints set storage external,
    alter column products set storage external,
    alter column events set storage external,
    alter column firsts set storage external,
    alter column lasts set storage external;

-- A silo of the version before, which may still run, appends no visits. What it appends to the rollups has the default
-- here, and leaves a note by which the merge counts such a day and product anew from the log. Notes and deltas share one
-- row of numbers.
alter table rollup_deltas add column with_visits boolean not null default false;

create table visit_gaps (
    id      bigint primary key default nextval('visit_deltas_id_seq'),
    day     date not null,
    product text collate "C" not null
);

create function note_visit_gap() returns trigger language plpgsql as $$
begin
    insert into visit_gaps (day, product) values ((new.minute at time zone 'UTC')::date, new.product);
    return null;
end
$$;

create trigger without_visits after insert on rollup_deltas
for each row when (not new.with_visits) execute function note_visit_gap();

-- Nobody records between what is counted here and the end of this transaction.
lock table events in share mode;

insert into visits (day, product, fingerprint, events, first_seen, last_seen)
select (occurred at time zone 'UTC')::date, product, fingerprint, count(*), min(occurred), max(occurred)
from events
group by 1, 2, 3;
