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

    private Requests RequestsOf(Workload workload) => requests.TryGetValue(workload, out var known)
        ? known
        : requests[workload] = new(Dialect.Prepare(workload.Ask), workload.Draw());
}

/// <summary>A contender that answers over HTTP. The first of its processes does the answering.</summary>
internal sealed class HttpContender(string name, Dialect dialect, params ServerProcess[] servers) : Contender(name)
{
    public int Port => servers[0].Port;

    public override IReadOnlyList<int> Processes { get; } = [.. servers.Select(server => server.Id)];

    protected override Dialect Dialect => dialect;

    protected override LoadResult Run(Requests requests, Load load)
    {
        try
        {
            return LoadClient.Run(Port, requests, load);
        }
        catch (Exception exception) when (exception is SocketException or IOException)
        {
            throw new InvalidOperationException($"{Name} hung up. It printed: {servers[0].Output}", exception);
        }
    }

    public override async ValueTask DisposeAsync()
    {
        foreach (var server in servers) await server.DisposeAsync();
    }
}
