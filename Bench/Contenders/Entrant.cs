using System.Text;
using Tally.Bench.Workloads;
using Tally.Tests.Harness;

namespace Tally.Bench.Contenders;

/// <summary>A contender that can take part, and how it is started.</summary>
/// <param name="Missing">What this machine lacks for it, or null.</param>
internal sealed record Entrant(string Name, string About, Func<Ground, Task<Contender>> Start,
    Func<string?>? Missing = null)
{
    public static readonly IReadOnlyList<Entrant> All =
    [
        new("bare", "Kestrel, the same form read, nothing else: the ceiling", ground => StartOwn(ground, "bare", "")),
        new("insert", "minimal API, one prepared INSERT an event, pooled",
            async ground => await StartOwn(ground, "insert", await ground.CreateDatabase())),
        new("stock", "Orleans grain, WriteStateAsync on each event through the stock ADO.NET provider",
            async ground => await StartOwn(ground, "stock", await ground.CreateDatabase())),
        new("redis", "webdis before redis-server with appendfsync always, one HINCRBY an event", Redis.Start,
            Redis.Missing),
        new("tally", "the published app on Postgres",
            async ground => await StartTally(ground, "tally", await ground.CreateDatabase())),
        new("tally-rules", "the same with ten rules about these events, whose filter is never met",
            async ground => await StartTallyWithRules(ground, await ground.CreateDatabase())),
        new("statements", "no server: one connection that inserts 1,000 rows a statement",
            async ground => await StatementsContender.Start(await ground.CreateDatabase())),
        new("insert-sqlite", "minimal API, one INSERT in a transaction an event, WAL, synchronous=FULL",
            ground => StartOwn(ground, "insert-sqlite", Path.Combine(ground.Folder, "insert.db"))),
        new("tally-sqlite", "the published app on SQLite",
            async ground =>
                await StartTally(ground, "tally-sqlite", $"sqlite:{Path.Combine(ground.Folder, "tally.db")}")),
    ];

    public static Entrant Named(string name) => All.First(entrant => entrant.Name == name);

    /// <param name="dbUrls">A silo for each; those on the same database are a cluster.</param>
    public static Task<HttpContender> StartTally(Ground ground, string name, params IEnumerable<string> dbUrls) =>
        StartTallyWith(null, ground, name, dbUrls);

    /// <param name="environment">Settings that are no flags.</param>
    /// <inheritdoc cref="StartTally"/>
    public static async Task<HttpContender> StartTallyWith(IReadOnlyDictionary<string, string>? environment,
        Ground ground, string name, params IEnumerable<string> dbUrls)
    {
        var started = new List<ServerProcess>();
        try
        {
            foreach (var dbUrl in dbUrls)
            {
                var port = FreePort.Next();
                started.Add(await ServerProcess.Start(ground.Folder, port, ground.App, TallyFlags(port, dbUrl),
                    environment));
            }
        }
        catch
        {
            foreach (var silo in started) await silo.DisposeAsync();
            throw;
        }
        return new(name, Dialect.Events, started);
    }

    private static async Task<Contender> StartTallyWithRules(Ground ground, string dbUrl)
    {
        const string rule = """
            {"when": {"event": {"product": "k8s", "action": "view", "where": [{"property": "plan", "is": "pro"}]},
             "count": "first"}}
            """;
        var tally = await StartTally(ground, "tally-rules", dbUrl);
        using var client = new HttpClient { BaseAddress = new($"http://127.0.0.1:{tally.Ports[0]}") };
        for (var i = 0; i < 10; i++)
        {
            using var body = new StringContent(rule, Encoding.UTF8, "application/json");
            using var answer = await client.PutAsync($"/api/rules/rule-{i}", body);
            answer.EnsureSuccessStatusCode();
        }
        return tally;
    }

    public static string[] TallyFlags(int port, string dbUrl) =>
        ["-port", $"{port}", "-host", "127.0.0.1", "-dbUrl", dbUrl];

    /// <summary>Starts a server of this program in its own process.</summary>
    private static async Task<Contender> StartOwn(Ground ground, string name, string database)
    {
        var port = FreePort.Next();
        var server = await ServerProcess.Start(ground.Folder, port, "dotnet",
            ["exec", "--runtimeconfig", ground.RuntimeConfig,
                Path.Combine(AppContext.BaseDirectory, "Tally.Bench.dll"), "serve", name, $"{port}", database]);
        return new HttpContender(name, Dialect.Events, [server]);
    }
}
