using System.Net.Sockets;
using Tally.Bench.Client;
using Tally.Bench.Workloads;

namespace Tally.Bench.Contenders;

/// <summary>A contender that runs and can be put under load.</summary>
internal abstract class Contender(string name) : IAsyncDisposable
{
    // Drawing continues where it stopped, so that "new" stays new from turn to turn.
    private readonly Dictionary<Workload, Requests> requests = [];

    public string Name { get; } = name;

    /// <summary>Its own processes, without a database that it shares with others.</summary>
    public abstract IReadOnlyList<int> Processes { get; }

    protected abstract Dialect Dialect { get; }

    protected abstract LoadResult Run(Requests requests, Load load);

    public LoadResult Run(Workload workload, Load load) => Run(RequestsOf(workload), load);

    public int EventsEach(Workload workload) => RequestsOf(workload).EventsEach;

    /// <summary>Records one event of each hot fingerprint, so that there is something to read.</summary>
    public void Prime() => Run(new Requests(Dialect.Prepare(Ask.RecordEvent), Draw.EachHot()),
        new(Connections: 16, TimeSpan.FromMinutes(1), RequestsMax: Draw.HotFingerprints));

    public abstract ValueTask DisposeAsync();

    protected Requests RequestsOf(Workload workload) => requests.TryGetValue(workload, out var known)
        ? known
        : requests[workload] = new(Dialect.Prepare(workload.Ask), workload.Draw());
}

/// <summary>A contender that answers over HTTP.</summary>
/// <param name="fronts">The processes that answer. Requests are spread over them.</param>
/// <param name="behind">Its other processes.</param>
internal sealed class HttpContender(
    string name, Dialect dialect, IReadOnlyList<ServerProcess> fronts, params IReadOnlyList<ServerProcess> behind)
    : Contender(name)
{
    private const int PrintedMax = 10_000; // a server that dies under load may have printed megabytes

    private readonly List<ServerProcess> servers = [.. fronts, .. behind];

    public IReadOnlyList<int> Ports { get; } = [.. fronts.Select(front => front.Port)];

    public override IReadOnlyList<int> Processes { get; } = [.. fronts.Concat(behind).Select(server => server.Id)];

    protected override Dialect Dialect => dialect;

    /// <summary>Sends all requests to one of its ports.</summary>
    public LoadResult RunAt(int port, Workload workload, Load load) => Run([port], RequestsOf(workload), load);

    protected override LoadResult Run(Requests requests, Load load) => Run(Ports, requests, load);

    private LoadResult Run(IReadOnlyList<int> ports, Requests requests, Load load)
    {
        try
        {
            return LoadClient.Run(ports, requests, load);
        }
        catch (Exception exception) when (exception is SocketException or IOException)
        {
            var server = servers.Find(server => server.HasEnded) ?? servers[0];
            var printed = server.Output;
            throw new InvalidOperationException(
                $"{Name} hung up. It printed: {printed[Math.Max(0, printed.Length - PrintedMax)..]}", exception);
        }
    }

    public override async ValueTask DisposeAsync()
    {
        foreach (var server in servers) await server.DisposeAsync();
    }
}
