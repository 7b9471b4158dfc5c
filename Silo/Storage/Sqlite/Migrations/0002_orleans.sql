-- What Orleans' ADO.NET grain storage uses. It reads its SQL from the table orleansquery. The keys, the parameters'
-- names and the columns of the results are its contract.

create table orleansquery (
    querykey  text primary key,
    querytext text not null
) strict;

-- Snapshots: one row for each grain, replaced whole. Every grain that stores state has a string key, so this leaves out
-- the contract's columns for numeric keys and hashes. A grain with another kind of key fails on "not null".
create table snapshots (
    service_id text not null,
    grain_type text not null,
    grain_key  text not null,
    payload    blob,
    version    integer not null,
    modified   text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    primary key (grain_key, grain_type, service_id)
) strict;

insert into orleansquery values
('ReadFromStorageKey', '
    select payload as "PayloadBinary", version as "Version"
    from snapshots
    where grain_key = @GrainIdExtensionString and grain_type = @GrainTypeString and service_id = @ServiceId'),

-- A first write inserts, a later one must find the version that it read: so of two writers at one version one wins. A
-- snapshot needs events, or what is left of pruned ones: an activation that does not know that its fingerprint was
-- erased must not bring it back.
('WriteToStorageKey', '
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
    returning version as "NewGrainStateVersion"'),

('ClearStorageKey', '
    update snapshots set payload = null, version = version + 1, modified = strftime(''%Y-%m-%dT%H:%M:%fZ'', ''now'')
    where grain_key = @GrainIdExtensionString and grain_type = @GrainTypeString and service_id = @ServiceId
      and version = @GrainStateVersion
    returning version as "NewGrainStateVersion"'),

('DeleteStorageKey', '
    delete from snapshots
    where grain_key = @GrainIdExtensionString and grain_type = @GrainTypeString and service_id = @ServiceId
      and version = @GrainStateVersion
    returning version + 1 as "NewGrainStateVersion"');
