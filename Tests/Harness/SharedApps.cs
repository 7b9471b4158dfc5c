using System.Collections.Concurrent;
using System.Text.Json;

namespace Tally.Tests.Harness;

/// <summary>
/// One serving app for each storage. Whatever the tests did to it, its counters must be the fold at the end.
/// </summary>
public class SharedApps(PostgresServer server) : IAsyncDisposable
{
    private const int LinesShown = 3; // from the first line of an error

    private readonly ConcurrentDictionary<StorageKind, Lazy<Task<Shared>>> started = new();

    public PostgresServer Server { get; } = server;

    /// <summary>How it is started.</summary>
    protected virtual string[] Flags => [];

    public Task<Shared> On(StorageKind storage) => started.GetOrAdd(storage, _ => new(() => Start(storage))).Value;

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        foreach (var shared in started.Values.Select(lazy => lazy.Value).Where(start => start.IsCompletedSuccessfully))
        {
            var (app, database) = await shared;
            await using (database)
            await using (app)
            {
                Assert.Equal(0, await app.Terminate());
                Assert.Empty(
                    app.Output.Split('\n').SkipWhile(line => !line.Contains("fail:", StringComparison.Ordinal))
                        .Take(LinesShown));
                await AppProcess.AssertVerifies(database);
            }
        }
    }

    private async Task<Shared> Start(StorageKind storage)
    {
        var database = await TestDatabase.Create(storage, Server);
        return new(await AppProcess.Start(database, flags: Flags), database);
    }
}

/// <summary>
/// The same, giving events without a fingerprint the sender's. Each test takes a product and an address of its own.
/// </summary>
public sealed class TrackerApps(PostgresServer server) : SharedApps(server)
{
    protected override string[] Flags => ["-fingerprints=server", "-trustedProxies=127.0.0.1"];
}

public sealed record Shared(AppProcess App, TestDatabase Database)
{
    /// <summary>How many events of a fingerprint the log has.</summary>
    public async Task<long> Rows(string fingerprint) => (await Database.Query(
        $"select count(*) from events where fingerprint = '{fingerprint.Replace("'", "''")}'",
        row => row.GetInt64(0)))[0];

    /// <summary>A product's events, in the order in which they were accepted.</summary>
    public Task<List<TrackedEvent>> Events(string product) => Database.Query(
        $"select action, fingerprint, properties from events where product = '{product}' order by created, sequence",
        row => new TrackedEvent(row.GetString(0), row.GetString(1), row.IsDBNull(2) ? null : row.GetString(2)));

    public async Task<long> AllRows() =>
        (await Database.Query("select count(*) from events", row => row.GetInt64(0)))[0];
}

/// <summary>A row of the log.</summary>
public sealed record TrackedEvent(string Action, string Fingerprint, string? Properties)
{
    /// <summary>A property as text; null if it is missing.</summary>
    public string? this[string name] =>
        Properties is not null && JsonDocument.Parse(Properties).RootElement.TryGetProperty(name, out var value)
            ? value.ToString() : null;
}
