-- The record. Every key begins with the fingerprint, so that the table can be partitioned or distributed by it.
-- collate "C" compares bytes: faster, and the order in which a proof reads two tables side by side.
create table events (
    fingerprint text collate "C" not null,
    sequence    bigint not null,
    id          uuid not null,
    action      text collate "C" not null,
    product     text collate "C" not null,
    created     timestamptz not null,
    occurred    timestamptz not null,
    properties  json, -- not jsonb: it keeps the text, which a repeat is compared with, and takes any that JSON allows
    constraint events_pkey primary key (fingerprint, sequence),
    constraint events_id_key unique (fingerprint, id)
);

create table rollups (
    minute                     timestamptz not null,
    product                    text collate "C" not null,
    action                     text collate "C" not null,
    events                     bigint not null,
    new_fingerprints           bigint not null,
    new_product_fingerprints   bigint not null,
    daily_fingerprints         bigint not null,
    daily_product_fingerprints bigint not null,
    constraint rollups_pkey primary key (minute, product, action)
);

-- What commit batches append, until a background job adds it to rollups. No key but its own: no two silos ever
-- wait for one row.
create table rollup_deltas (
    id                         bigint generated always as identity primary key,
    minute                     timestamptz not null,
    product                    text collate "C" not null,
    action                     text collate "C" not null,
    events                     bigint not null,
    new_fingerprints           bigint not null,
    new_product_fingerprints   bigint not null,
    daily_fingerprints         bigint not null,
    daily_product_fingerprints bigint not null
);
