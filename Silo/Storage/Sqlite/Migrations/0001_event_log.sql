-- The record, clustered by its key. Times are ISO 8601 text in UTC with microseconds, ids are text: readable in any
-- SQLite shell, and both sort as they should.
create table events (
    fingerprint text not null,
    sequence    integer not null,
    id          text not null,
    action      text not null,
    product     text not null,
    created     text not null,
    occurred    text not null,
    properties  text,
    primary key (fingerprint, sequence),
    unique (fingerprint, id)
) strict, without rowid;

create table rollups (
    minute                     text not null,
    product                    text not null,
    action                     text not null,
    events                     integer not null,
    new_fingerprints           integer not null,
    new_product_fingerprints   integer not null,
    daily_fingerprints         integer not null,
    daily_product_fingerprints integer not null,
    primary key (minute, product, action)
) strict, without rowid;

-- What commit batches append, until a background job adds it to rollups.
create table rollup_deltas (
    id                         integer primary key,
    minute                     text not null,
    product                    text not null,
    action                     text not null,
    events                     integer not null,
    new_fingerprints           integer not null,
    new_product_fingerprints   integer not null,
    daily_fingerprints         integer not null,
    daily_product_fingerprints integer not null
) strict;
