-- What events that are gone from the log have given the rollups, where it stays: a proof adds it to the fold of the log.
-- It names nobody.
create table gone_rollups (
    minute                     timestamptz not null,
    product                    text collate "C" not null,
    action                     text collate "C" not null,
    events                     bigint not null,
    new_fingerprints           bigint not null,
    new_product_fingerprints   bigint not null,
    daily_fingerprints         bigint not null,
    daily_product_fingerprints bigint not null,
    constraint gone_rollups_pkey primary key (minute, product, action)
);

-- What a fingerprint's pruned events add up to, from its first one to this sequence: the serialized state that a snapshot
-- has, and as durable as the log.
create table pruned (
    fingerprint text collate "C" not null,
    sequence    bigint not null,
    state       bytea not null,
    constraint pruned_pkey primary key (fingerprint)
);

-- Fingerprints that are refused: the HMAC-SHA-256 of each, under a key that was made here and nowhere else.
create table suppressions (
    hash bytea not null,
    constraint suppressions_pkey primary key (hash)
);

create table suppression_key (
    id  smallint primary key check (id = 1),
    key bytea not null
);

insert into suppression_key values (1, sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')));

-- A snapshot needs events, or their pruned rest: an activation that does not know that its fingerprint was erased does not
-- bring it back. The lock is that of the commit batches (lock_appends.sql), taken by a statement of its own, so that the one
-- behind it sees what an erasure has done that it waited for.
update orleansquery set querytext = '
    do $$ begin perform pg_advisory_xact_lock_shared(7020303); end $$;
    insert into snapshots as stored (service_id, grain_type, grain_key, payload, version)
    select @ServiceId, @GrainTypeString, @GrainIdExtensionString, @PayloadBinary, coalesce(@GrainStateVersion, 0) + 1
    where (@GrainStateVersion is null or exists (
            select from snapshots
            where grain_key = @GrainIdExtensionString and grain_type = @GrainTypeString and service_id = @ServiceId))
      and (exists (select from events where fingerprint = substr(@GrainIdExtensionString, 2))
        or exists (select from pruned where fingerprint = substr(@GrainIdExtensionString, 2)))
    on conflict (grain_key, grain_type, service_id) do update
    set payload = excluded.payload, version = excluded.version, modified = now()
    where stored.version = @GrainStateVersion
    returning version as "NewGrainStateVersion"'
where querykey = 'WriteToStorageKey';
