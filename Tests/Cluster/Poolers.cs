using Tally.Silo.Settings;
using Tally.Tests.Harness;

namespace Tally.Tests.Cluster;

/// <summary>The real PgBouncer in front of Postgres. Tally needs its session pooling.</summary>
public sealed class Poolers(PostgresServer server)
{
    private const string IgnoresOptions = "ignore_startup_parameters = options,extra_float_digits,search_path";

    [Theory]
    [InlineData("transaction", "")]
    [InlineData("transaction", IgnoresOptions)]
    [InlineData("transaction", "server_round_robin = 1")]
    [InlineData("statement", "")]
    [InlineData("statement", IgnoresOptions)]
    public async Task One_without_sessions_is_refused_in_one_line(string mode, string setting)
    {
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using (await database.OpenPrepared()) { } // already migrated, so the start has nothing else to fail at
        await using var pooler = await PgBouncer.Start(database.Url, mode, setting);
        foreach (var command in (string[][])[[], ["migrate"]])
        {
            var (exitCode, _, error) =
                await AppProcess.Run([.. command, "-port", $"{FreePort.Next()}", "-dbUrl", pooler.Url]);
            Assert.Equal(1, exitCode);
            Assert.StartsWith(
                "app: There is a connection pooler before Postgres that gives each transaction another session", error);
            Assert.Equal(error.Length - 1, error.IndexOf('\n'));
        }
    }

    // Others keep the pooler's server connections in use, so Tally may get the same one back by chance.
    [Fact]
    public async Task One_without_sessions_is_found_among_others_too()
    {
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var pooler = await PgBouncer.Start(database.Url, "transaction", "server_round_robin = 1");
        using var stop = new CancellationTokenSource();
        var others = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            await using var source = Npgsql.NpgsqlDataSource.Create(
                $"{ConnectionString(pooler.Url)};No Reset On Close=true;Max Auto Prepare=0;Maximum Pool Size=1");
            while (!stop.IsCancellationRequested)
            {
                await using var command = source.CreateCommand("select 1");
                await command.ExecuteScalarAsync();
            }
        })).ToList();
        var (exitCode, _, error) = await AppProcess.Run(["migrate", "-dbUrl", pooler.Url]);
        await stop.CancelAsync();
        await Task.WhenAll(others);
        Assert.Contains("connection pooler", error);
        Assert.Equal(1, exitCode);
    }

    [Theory]
    [InlineData("")]
    [InlineData(IgnoresOptions)]
    public async Task In_session_mode_silos_serve(string setting)
    {
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var pooler = await PgBouncer.Start(database.Url, "session", setting);
        await using var pooled = database.Through(pooler.Url);
        await using var silos = await Silos.Start(pooled, 2);
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(200, (await silos[i % 2].PostForm($"action=a&product=p&fingerprint=f{i}")).Status);
            Assert.Equal(1, (await silos[(i + 1) % 2].View($"f{i}")).Body.GetProperty("total").GetInt64());
        }
        Assert.Equal(200, (await silos[0].Get("/api/uniques")).Status);
        await AppProcess.AssertVerifies(pooled);
    }

    private static string ConnectionString(string url) =>
        ((DatabaseUrl.Postgres)DatabaseUrl.Parse(url)).Settings.ConnectionString;
}
