using System.Net;
using System.Net.Sockets;
using Tally.Tests.Harness;

namespace Tally.Tests.CommandLine;

/// <summary>Starting when Postgres is not there, or is something else.</summary>
public sealed class WaitingForPostgres(PostgresServer server)
{
    private const string Secret = "sekret";

    [Theory]
    [InlineData("postgres://u:sekret@127.0.0.1:{0}/db", "127.0.0.1:{0}")]
    [InlineData("postgres://u:sekret@127.0.0.1:{0},[::1]:{0}/db", "127.0.0.1:{0}, [::1]:{0}")]
    [InlineData("postgres://u:sekret@/db?host=/nowhere&port={0}", "%2Fnowhere:{0}")]
    public async Task It_says_at_once_where_it_waits_and_again_and_stops_when_told_to(string url, string place)
    {
        var port = FreePort.Next();
        await using var app = Launch(string.Format(null, url, port));
        await Says(app,
            string.Format(null, "app: waiting for the database: Postgres at " + place + " does not answer: ", port),
            times: 2);
        Assert.Equal(0, await app.Terminate());
        Assert.DoesNotContain(Secret, app.Output);
        Assert.DoesNotContain("Exception", app.Output);
    }

    [Fact]
    public async Task It_says_where_it_waits_also_when_the_other_side_says_nothing()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start(); // the operating system accepts connections
        await using var app = Launch($"postgres://u:{Secret}@{silent.LocalEndpoint}/db");
        await Says(app, $"app: waiting for Postgres at {silent.LocalEndpoint}, which does not answer", times: 1);
        Assert.Equal(0, await app.Terminate());
        Assert.DoesNotContain(Secret, app.Output);
    }

    [Fact]
    public async Task It_serves_once_postgres_is_there()
    {
        await using var postgres = await PostgresServer.StartOwn();
        await using var database = TestDatabase.On(postgres);
        await postgres.Stop("fast");
        await using var app = AppProcess.Launch(database);
        await Says(app, "app: waiting for the database: ", times: 1);
        await postgres.Start();
        await app.WaitReady();
        Assert.Equal(200, (await app.PostForm("action=a&product=p&fingerprint=f")).Status);
    }

    // Another try would not change these.
    [Fact]
    public async Task A_refusal_ends_it_in_one_line()
    {
        await using var postgres = await PostgresServer.StartOwn();
        foreach (var (url, reason) in ((string, string)[])
                 [
                     ("postgres://tally@{0}/no_such_database", "3D000"),
                     ("postgres://no_such_role@{0}/postgres", "28000"),
                     ("postgres://tally@{0}/postgres?options=-c%20nonsense%3D1", "42704"),
                     ("postgres://tally@{0}/postgres?sslmode=require", "SSL connection requested"),
                     ("postgres://tally:sekret@{0}/postgres?channel_binding=require",
                         "authentication method is not allowed"),
                 ])
        {
            var (exitCode, output, error) = await AppProcess.Run(
                ["-port", $"{FreePort.Next()}", "-dbUrl",
                    string.Format(null, url, $"127.0.0.1:{postgres.Settings.Port}")]);
            Assert.True((exitCode, output) == (1, ""), $"{url}: {exitCode} {output}{error}");
            AssertOneLine(error, reason);
        }
    }

    [Fact]
    public async Task What_speaks_http_is_no_postgres()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var http = await AppProcess.Start(database);
        var (exitCode, output, error) =
            await AppProcess.Run(["migrate", "-dbUrl", $"postgres://u:{Secret}@127.0.0.1:{http.Port}/db"]);
        Assert.Equal((1, ""), (exitCode, output));
        var last = error.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1];
        AssertOneLine(last + "\n", $"Postgres at 127.0.0.1:{http.Port} ");
    }

    [Theory]
    [InlineData("standby")]
    [InlineData("default_transaction_read_only")]
    public async Task A_postgres_that_takes_no_writes_is_refused(string kind)
    {
        await using var postgres = await PostgresServer.StartOwn();
        await using var standby = kind == "standby" ? await postgres.StartStandby() : null;
        if (standby is null) await postgres.Execute("alter role tally set default_transaction_read_only = on");
        var (exitCode, output, error) =
            await AppProcess.Run(["migrate", "-dbUrl", (standby ?? postgres).Settings.ConnectionString]);
        Assert.Equal((1, ""), (exitCode, output));
        AssertOneLine(error, kind);
    }

    private static AppProcess Launch(string url) => AppProcess.Launch(TestDatabase.Of(url));

    private static Task Says(AppProcess app, string text, int times) => Eventually.True(
        () => Task.FromResult(app.Output.Split(text).Length > times),
        () => $"It does not say '{text}' {times} times: {app.Output}", seconds: 60);

    private static void AssertOneLine(string error, string contains)
    {
        Assert.StartsWith("app: ", error);
        Assert.Contains(contains, error);
        Assert.Equal(error.Length - 1, error.IndexOf('\n'));
        Assert.DoesNotContain(Secret, error);
        Assert.DoesNotContain("Exception", error);
    }
}
