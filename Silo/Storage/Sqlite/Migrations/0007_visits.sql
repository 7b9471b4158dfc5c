-- One row for each UTC day on which a fingerprint used a product: it grows with visits, not with events.
create table visits (
    day         text not null,
    product     text not null,
    fingerprint text not null,
    events      integer not null,
    first_seen  text not null,
    last_seen   text not null,
    primary key (day, product, fingerprint)
) strict, without rowid;

-- What commit batches append, one row each, until a background job adds it to visits: a JSON array of
-- [fingerprint, product, events, first, last]. A visit's day is that of its first event.
create table visit_deltas (
    id     integer primary key,
    visits text not null
) strict;

insert into visits (day, product, fingerprint, events, first_seen, last_seen)
select substr(occurred, 1, 10), product, fingerprint, count(*), min(occurred), max(occurred)
from events
group by 1, 2, 3;
