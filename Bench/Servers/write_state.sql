-- The product writes a snapshot only beside events in its log. This contender has no log.
update orleansquery set querytext = '
    insert into snapshots as stored (service_id, grain_type, grain_key, payload, version)
    select @ServiceId, @GrainTypeString, @GrainIdExtensionString, @PayloadBinary, coalesce(@GrainStateVersion, 0) + 1
    where @GrainStateVersion is null or exists (
        select from snapshots
        where grain_key = @GrainIdExtensionString and grain_type = @GrainTypeString and service_id = @ServiceId)
    on conflict (grain_key, grain_type, service_id) do update
    set payload = excluded.payload, version = excluded.version, modified = now()
    where stored.version = @GrainStateVersion
    returning version as "NewGrainStateVersion"'
where querykey = 'WriteToStorageKey'
