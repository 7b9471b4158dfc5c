-- Which silos there are. Orleans' clustering provider reads and writes through the queries below; parameter names and
-- columns are its contract. The version row makes every change of membership one compare-and-swap.
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

-- The version moves only with its row: of two that read one version, the second finds another and does nothing.
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

-- 6 is dead, in the provider''s own numbering.
('CleanupDefunctSiloEntriesKey', '
    delete from memberships
    where cluster_id = @DeploymentId and status = 6 and i_am_alive_time < @IAmAliveTime'),

('DeleteMembershipTableEntriesKey', '
    with gone as (delete from memberships where cluster_id = @DeploymentId)
    delete from membership_versions where cluster_id = @DeploymentId');
