-- What events that are gone from the log have given the rollups, where it stays: a proof adds it to the fold of the log.
-- It names nobody.
create table gone_rollups (
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

-- What a fingerprint's pruned events add up to, from its first one to this sequence: the serialized state that a snapshot
-- has, and as durable as the log.
create table pruned (
    fingerprint text not null primary key,
    sequence    integer not null,
    state       blob not null
) strict, without rowid;

-- Fingerprints that are refused: the HMAC-SHA-256 of each, under a key that was made here and nowhere else.
create table suppressions (
    hash blob not null primary key
) strict, without rowid;

create table suppression_key (
    id  integer primary key check (id = 1),
    key blob not null
) strict;

insert into suppression_key values (1, randomblob(32));

-- A snapshot needs events, or their pruned rest: an activation that does not know that its fingerprint was erased does not
-- bring it back.
update orleansquery set querytext = '
    insert into snapshots as stored (service_id, grain_type, grain_key, payload, version)
    select @ServiceId, @GrainTypeString, @GrainIdExtensionString, @PayloadBinary, coalesce(@GrainStateVersion, 0) + 1
    where (@GrainStateVersion is null or exists (
            select 1 from snapshots
            where grain_key = @GrainIdExtensionString and grain_type = @GrainTypeString and service_id = @ServiceId))
      and (exists (select 1 from events where fingerprint = substr(@GrainIdExtensionString, 2))
        or exists (select 1 from pruned where fingerprint = substr(@GrainIdExtensionString, 2)))
    on conflict (grain_key, grain_type, service_id) do update
    set payload = excluded.payload, version = excluded.version, modified = strftime(''%Y-%m-%dT%H:%M:%fZ'', ''now'')
    where stored.version = @GrainStateVersion
    returning version as "NewGrainStateVersion"'
where querykey = 'WriteToStorageKey';
