-- What Orleans' ADO.NET providers use: grain storage and membership. They read their SQL from the table orleansquery.
-- The keys, the parameters' names and the columns of the results are their contract.

create table orleansquery (
    querykey  text primary key,
    querytext text not null
);

-- Snapshots: one row for each grain, replaced whole. Every grain that stores state has a string key, so this leaves out
-- the contract's columns for numeric keys and hashes. A grain with another kind of key fails on "not null".
create table snapshots (
    service_id text not null,
    grain_type text not null,
    grain_key  text collate "C" not null,
    payload    bytea,
    version    integer not null,
    modified   timestamptz not null default now(),
    constraint snapshots_pkey primary key (grain_key, grain_type, service_id)
);

insert into orleansquery values
('ReadFromStorageKey', '
    select payload as "PayloadBinary", version as "Version"
    from snapshots
    where grain_key = @GrainIdExtensionString and grain_type = @GrainTypeString and service_id = @ServiceId'),

-- A first write inserts, a later one must find the version that it read: so of two writers at one version one wins. A
-- snapshot needs events, or what is left of pruned ones: an activation that does not know that its fingerprint was
-- erased must not bring it back. The lock is the one that commits share (lock_appends.sql). It is a statement of its
-- own, so that the next statement sees what an erasure has done that it waited for.
('WriteToStorageKey', '
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
    returning version as "NewGrainStateVersion"'),

('ClearStorageKey', '
    update snapshots set payload = null, version = version + 1, modified = now()
    where grain_key = @GrainIdExtensionString and grain_type = @GrainTypeString and service_id = @ServiceId
      and version = @GrainStateVersion
    returning version as "NewGrainStateVersion"'),

('DeleteStorageKey', '
    delete from snapshots
    where grain_key = @GrainIdExtensionString and grain_type = @GrainTypeString and service_id = @ServiceId
      and version = @GrainStateVersion
    returning version + 1 as "NewGrainStateVersion"');

-- The silos of the cluster. The row in membership_versions makes each change of membership a compare-and-swap.
create table membership_versions (
    cluster_id text primary key,
    version    integer not null default 0
);

create table memberships (
    cluster_id      text not null references membership_versions,
    address         text not null,
    port            integer not null,
    generation      integer not null,
    silo_name       text not null,
    host_name       text not null,
    status          integer not null,
    proxy_port      integer not null,
    suspect_times   text,
    start_time      timestamptz not null,
    i_am_alive_time timestamptz not null,
    constraint memberships_pkey primary key (cluster_id, address, port, generation)
);

insert into orleansquery values
('InsertMembershipVersionKey', '
    with inserted as (
        insert into membership_versions (cluster_id) values (@DeploymentId) on conflict do nothing returning 1)
    select exists (select from inserted)'),

('MembershipReadAllKey', '
    select v.version as "Version", m.address as "Address", m.port as "Port", m.generation as "Generation",
           m.silo_name as "SiloName", m.host_name as "HostName", m.status as "Status", m.proxy_port as "ProxyPort",
           m.suspect_times as "SuspectTimes", m.start_time as "StartTime", m.i_am_alive_time as "IAmAliveTime"
    from membership_versions v left join memberships m on m.cluster_id = v.cluster_id
    where v.cluster_id = @DeploymentId'),

('MembershipReadRowKey', '
    select v.version as "Version", m.address as "Address", m.port as "Port", m.generation as "Generation",
           m.silo_name as "SiloName", m.host_name as "HostName", m.status as "Status", m.proxy_port as "ProxyPort",
           m.suspect_times as "SuspectTimes", m.start_time as "StartTime", m.i_am_alive_time as "IAmAliveTime"
    from membership_versions v left join memberships m on m.cluster_id = v.cluster_id
        and m.address = @Address and m.port = @Port and m.generation = @Generation
    where v.cluster_id = @DeploymentId'),

-- The version changes only together with a row. If two silos have read the same version, the second finds a newer one
-- and does nothing.
('InsertMembershipKey', '
    with moved as (
        update membership_versions set version = version + 1
        where cluster_id = @DeploymentId and version = @Version and not exists (
            select from memberships where cluster_id = @DeploymentId
                and address = @Address and port = @Port and generation = @Generation)
        returning 1),
    inserted as (
        insert into memberships
        select @DeploymentId, @Address, @Port, @Generation, @SiloName, @HostName, @Status, @ProxyPort, null,
               @StartTime, @IAmAliveTime
        from moved
        returning 1)
    select exists (select from inserted)'),

('UpdateMembershipKey', '
    with moved as (
        update membership_versions set version = version + 1
        where cluster_id = @DeploymentId and version = @Version and exists (
            select from memberships where cluster_id = @DeploymentId
                and address = @Address and port = @Port and generation = @Generation)
        returning 1),
    updated as (
        update memberships set status = @Status, suspect_times = @SuspectTimes, i_am_alive_time = @IAmAliveTime
        from moved
        where cluster_id = @DeploymentId and address = @Address and port = @Port and generation = @Generation
        returning 1)
    select exists (select from updated)'),

('UpdateIAmAlivetimeKey', '
    update memberships set i_am_alive_time = @IAmAliveTime
    where cluster_id = @DeploymentId and address = @Address and port = @Port and generation = @Generation'),

('GatewaysQueryKey', '
    select address as "Address", proxy_port as "ProxyPort", generation as "Generation"
    from memberships
    where cluster_id = @DeploymentId and status = @Status and proxy_port > 0'),

-- Orleans numbers the status of a dead silo 6.
('CleanupDefunctSiloEntriesKey', '
    delete from memberships
    where cluster_id = @DeploymentId and status = 6 and i_am_alive_time < @IAmAliveTime'),

('DeleteMembershipTableEntriesKey', '
    with gone as (delete from memberships where cluster_id = @DeploymentId)
    delete from membership_versions where cluster_id = @DeploymentId');
