-- Orleans' ADO.NET providers read their SQL from this table; names and columns are their contract.
create table orleansquery (
    querykey  text primary key,
    querytext text not null
) strict;

-- Snapshots: one row a grain, replaced whole. All grains that store state have string keys, so the key's number
-- columns and hashes of the contract are left out; a grain with another key fails on the not-null.
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

-- One statement, so that of two writers at one version one wins: a first write inserts, a later one must find the
-- version it read.
('WriteToStorageKey', '
    insert into snapshots as stored (service_id, grain_type, grain_key, payload, version)
    select @ServiceId, @GrainTypeString, @GrainIdExtensionString, @PayloadBinary, coalesce(@GrainStateVersion, 0) + 1
    where @GrainStateVersion is null or exists (
        select 1 from snapshots
        where grain_key = @GrainIdExtensionString and grain_type = @GrainTypeString and service_id = @ServiceId)
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
