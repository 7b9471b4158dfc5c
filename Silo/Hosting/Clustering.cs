using System.Net;
using System.Net.Sockets;
using Orleans.Configuration;
using Orleans.Runtime.GrainDirectory;
using Orleans.Runtime.Hosting;
using Tally.Grains;
using Tally.Grains.Peers;
using Tally.Grains.Placement;
using Tally.Silo.Settings;

namespace Tally.Silo.Hosting;

/// <summary>
/// How silos find each other, detect a dead one, and take over its grains; docs/reliability.md has the arithmetic.
/// </summary>
internal static class Clustering
{
    // One probe a second, two missed in a row, one vote: a killed silo is declared dead in about 1 s, a paused one in
    // 3 to 4 s.
    private static readonly TimeSpan ProbePeriod = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ProbePeriodMax = TimeSpan.FromSeconds(1.5);
    // Their product is Orleans' failure-detection timeout. A message received within it outweighs missed probes, so
    // silos on two saturated cores do not declare each other dead.
    private const int ProbesMissedMax = 2;

    // After all silos were killed, their rows still say active: a new silo waits until the rows are this old.
    private static readonly TimeSpan AlivePeriod = TimeSpan.FromSeconds(1);
    private const int AlivesMissedMax = 3;

    public static void UseTallyCluster(this ISiloBuilder silo, ClusterSettings settings,
        IReadOnlyList<PostgresHost> databaseHosts)
    {
        if (settings.Certificates is { } certificates) silo.UseSiloTls(certificates);
        silo.Configure<ClusterOptions>(cluster =>
            (cluster.ClusterId, cluster.ServiceId) = (settings.ClusterId, settings.ServiceId));
        silo.Configure<SiloOptions>(options => options.SiloName = settings.SiloName);
        silo.Configure<EndpointOptions>(endpoints =>
        {
            endpoints.AdvertisedIPAddress = settings.Advertise ?? ReachableAddress(databaseHosts);
            endpoints.SiloPort = settings.SiloPort > 0 ? settings.SiloPort : FreePort();
            endpoints.GatewayPort = settings.GatewayPort; // 0 is none
            var listen = ListenAddress(endpoints.AdvertisedIPAddress);
            endpoints.SiloListeningEndpoint = new(listen, endpoints.SiloPort);
            if (endpoints.GatewayPort > 0) endpoints.GatewayListeningEndpoint = new(listen, endpoints.GatewayPort);
        });
        silo.Configure<ClusterMembershipOptions>(membership =>
        {
            membership.ProbeTimeout = ProbePeriod;
            membership.MaxProbeTimeout = ProbePeriodMax;
            membership.NumMissedProbesLimit = ProbesMissedMax;
            membership.NumVotesForDeathDeclaration = 1;
            membership.TableRefreshTimeout = TimeSpan.FromSeconds(5);
            membership.IAmAliveTablePublishTimeout = AlivePeriod;
            membership.NumMissedTableIAmAliveLimit = AlivesMissedMax;
            membership.DefunctSiloExpiration = TimeSpan.FromHours(1);
        });
        silo.Services.AddSingleton<ISiloLiveness, MembershipLiveness>();
        silo.UseOwnership();
    }

    /// <summary>For a silo that has its database to itself: nobody listens on its address.</summary>
    public static void UseLoneSilo(this ISiloBuilder silo, ClusterSettings settings)
    {
        silo.UseLocalhostClustering(gatewayPort: 0, serviceId: settings.ServiceId, clusterId: settings.ClusterId);
        silo.Configure<SiloOptions>(options => options.SiloName = settings.SiloName);
        NoListener.Use(silo.Services);
        silo.Services.AddSingleton<ISiloLiveness, AloneLiveness>();
        silo.UseOwnership();
    }

    private static void UseOwnership(this ISiloBuilder silo)
    {
        silo.Services.AddSingleton<Ownership>();
        silo.Services.AddSingleton<IGrainDirectoryCache, OwnerAddresses>();
        silo.AddGrainDirectory(OwnerPlacement.Directory, (_, _) => new NoDirectory());
        silo.AddPlacementDirector<OwnerPlacement, OwnerPlacementDirector>();
        silo.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>, OwnershipLifecycle>();
        silo.Services.AddSingleton<SiloMeters>();
        silo.AddGrainService<Peer>();
        silo.Services.AddSingleton<PeerClient>();
        silo.Services.AddSingleton<Peers>();
    }

    /// <summary>
    /// The address under which other hosts reach this one: the one it uses to reach the database they all share. In a
    /// container that is the container's; on a single machine, the loopback address. Finding it sends nothing.
    /// </summary>
    private static IPAddress ReachableAddress(IReadOnlyList<PostgresHost> databaseHosts)
    {
        foreach (var database in databaseHosts.Where(database => !database.IsSocket)) // a socket is on this machine
        {
            try
            {
                using var socket = new Socket(SocketType.Dgram, ProtocolType.Udp);
                socket.Connect(database.Name, 1);
                var address = ((IPEndPoint)socket.LocalEndPoint!).Address;
                return address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
            }
            catch (SocketException)
            {
                // an unknown name: try the next one
            }
        }
        return IPAddress.Loopback;
    }

    // Only on the advertised address, unless it is not this machine's own (address translation): then on all.
    private static IPAddress ListenAddress(IPAddress advertised)
    {
        try
        {
            using var socket = new Socket(advertised.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            socket.Bind(new IPEndPoint(advertised, 0));
            return advertised;
        }
        catch (SocketException)
        {
            return advertised.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any;
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
