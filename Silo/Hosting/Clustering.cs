using System.Net;
using System.Net.Sockets;
using Orleans.Configuration;
using Orleans.Runtime.GrainDirectory;
using Tally.Silo.CommandLine;

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

    public static void UseTallyCluster(this ISiloBuilder silo, ClusterSettings settings, string? databaseHost)
    {
        silo.Configure<ClusterOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = (settings.ClusterId, settings.ServiceId));
        silo.Configure<SiloOptions>(options => options.SiloName = settings.SiloName);
        silo.Configure<EndpointOptions>(endpoints =>
        {
            endpoints.AdvertisedIPAddress = settings.Advertise ?? ReachableAddress(databaseHost);
            endpoints.SiloPort = settings.SiloPort > 0 ? settings.SiloPort : FreePort();
            endpoints.GatewayPort = settings.GatewayPort > 0 ? settings.GatewayPort : FreePort();
            var listen = IPAddress.IsLoopback(endpoints.AdvertisedIPAddress) ? endpoints.AdvertisedIPAddress
                : endpoints.AdvertisedIPAddress.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any;
            endpoints.SiloListeningEndpoint = new(listen, endpoints.SiloPort);
            endpoints.GatewayListeningEndpoint = new(listen, endpoints.GatewayPort);
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
    }

    /// <summary>
    /// The address under which other hosts reach this one: the one that this host uses towards the database that they
    /// all share. In a container that is the container's, on one machine the loopback. Asking sends nothing.
    /// </summary>
    private static IPAddress ReachableAddress(string? databaseHost)
    {
        try
        {
            // A list of hosts, or a path to a socket on this machine, are a connection string's other forms.
            var host = databaseHost?.Split(',')[0];
            if (string.IsNullOrEmpty(host) || host.StartsWith('/')) return IPAddress.Loopback;
            using var socket = new Socket(SocketType.Dgram, ProtocolType.Udp);
            socket.Connect(host, 1);
            var address = ((IPEndPoint)socket.LocalEndPoint!).Address;
            return address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        }
        catch (SocketException)
        {
            return IPAddress.Loopback; // with the database's name unknown, nothing will start anyway
        }
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
