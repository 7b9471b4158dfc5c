using System.Net;
using System.Net.Sockets;
using Orleans.Configuration;
using Orleans.Runtime.GrainDirectory;
using Tally.Grains;
using Tally.Silo.Settings;

namespace Tally.Silo.Hosting;

/// <summary>How silos find each other, notice a death, and hand grains over; the arithmetic is in docs/reliability.md.</summary>
internal static class Clustering
{
    // A probe a second, two missed in a row, one vote: a killed silo is out in about 1 s, a stopped one in 3 to 4 s.
    private static readonly TimeSpan ProbePeriod = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ProbePeriodMax = TimeSpan.FromSeconds(1.5);
    private const int ProbesMissedMax = 2;

    // Orleans' own name for this product is the failure-detection timeout. Within it a message received is a sign of
    // life that outweighs missed probes, which is what keeps two saturated cores from declaring each other dead.
    private static readonly TimeSpan Detection = ProbePeriodMax * ProbesMissedMax;

    /// <summary>From the table's word that a silo is dead until its grains may be activated elsewhere.</summary>
    public static readonly TimeSpan Takeover = TimeSpan.FromSeconds(1);

    // After a kill of all silos their rows still say active: a new silo waits until they are this old.
    private static readonly TimeSpan AlivePeriod = TimeSpan.FromSeconds(1);
    private const int AlivesMissedMax = 3;

    public static void UseTallyCluster(this ISiloBuilder silo, ClusterSettings settings, IReadOnlyList<PostgresHost> databaseHosts)
    {
        if (settings.Certificates is { } certificates) silo.UseSiloTls(certificates);
        silo.Configure<ClusterOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = (settings.ClusterId, settings.ServiceId));
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
#pragma warning disable ORLEANSEXP003 // the default directory is only eventually consistent; docs/reliability.md
        silo.AddDistributedGrainDirectory();
#pragma warning restore ORLEANSEXP003
        silo.Configure<GrainDirectoryOptions>(directory => directory.RangeLeaseDuration = Detection + Takeover);
        silo.Services.AddSingleton<IGrainDirectoryCache, WhereAlone>();
        silo.Services.AddSingleton<ISiloLiveness, MembershipLiveness>();
    }

    /// <summary>A silo that has its database to itself: its address is a name alone, on which nobody listens.</summary>
    public static void UseLoneSilo(this ISiloBuilder silo, ClusterSettings settings)
    {
        silo.UseLocalhostClustering(gatewayPort: 0, serviceId: settings.ServiceId, clusterId: settings.ClusterId);
        NoListener.Use(silo.Services);
        silo.Services.AddSingleton<ISiloLiveness, AloneLiveness>();
    }

    /// <summary>
    /// The address under which other hosts reach this one: the one that this host uses towards the database that they
    /// all share. In a container that is the container's, on one machine the loopback. Asking sends nothing.
    /// </summary>
    private static IPAddress ReachableAddress(IReadOnlyList<PostgresHost> databaseHosts)
    {
        foreach (var database in databaseHosts.Where(database => !database.IsSocket)) // one by socket is this machine's
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
                // its name is unknown: perhaps the next one's is not
            }
        }
        return IPAddress.Loopback;
    }

    // On the advertised address alone, unless it is not this machine's own, as behind address translation: then on all.
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
