using System.Collections.Concurrent;

namespace Tally.Tests.Harness;

/// <summary>
/// One serving app for each storage. Whatever the tests did to it, its counters must be the fold at the end.
/// </summary>
public sealed class SharedApps(PostgresServer server) : IAsyncDisposable
{
    private const int LinesShown = 3; // from the first line of an error

    private readonly ConcurrentDictionary<StorageKind, Lazy<Task<Shared>>> started = new();

    public PostgresServer Server { get; } = server;

    public Task<Shared> On(StorageKind storage) => started.GetOrAdd(storage, _ => new(() => Start(storage))).Value;

    public async ValueTask DisposeAsync()
    {
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
        return new(await AppProcess.Start(database), database);
    }
}

public sealed record Shared(AppProcess App, TestDatabase Database)
{
    /// <summary>How many events of a fingerprint the log has.</summary>
    public async Task<long> Rows(string fingerprint) => (await Database.Query(
        $"select count(*) from events where fingerprint = '{fingerprint.Replace("'", "''")}'",
        row => row.GetInt64(0)))[0];

    public async Task<long> AllRows() =>
        (await Database.Query("select count(*) from events", row => row.GetInt64(0)))[0];
}
