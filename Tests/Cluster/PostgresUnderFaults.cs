using Tally.Tests.Harness;

namespace Tally.Tests.Cluster;

/// <summary>
/// Postgres goes away and comes back, loses connections, or does not flush. Each test has its own server.
/// </summary>
public sealed class PostgresUnderFaults
{
    private const int EventsBefore = 300;
    private const int RefusedMin = 200;
    private const int Terminations = 20;

    [Fact]
    public async Task A_server_that_stops_and_starts_again_costs_503s_and_no_event()
    {
        var seed = Seed.Next();
        await using var postgres = await PostgresServer.StartOwn();
        await using var database = TestDatabase.On(postgres);
        await using var app = await AppProcess.Start(database);
        var load = Load.Start([app.Port], seed);
        await Acknowledges(load, EventsBefore);

        await postgres.Stop("immediate");
        var refused = load.History.Count(AttemptOutcome.Refused);
        await Eventually.True(() => Task.FromResult(load.History.Count(AttemptOutcome.Refused) >= refused + RefusedMin),
            $"Events are not refused: {load.History}", seconds: 60);
        using (var wire = (await HttpWire.Connect(app.Port))!)
            await Eventually.True(async () => (await wire.Ask(HttpWire.GetOf("/health/ready")))!.Status == 503,
                "Readiness does not fail.");
        await postgres.Start();

        await Acknowledges(load, EventsBefore);
        await load.Finish();
        await app.WaitReady();
        Refusals.AssertUnavailableAndQuick(load.History);
        await HistoryCheck.Holds(load.History, database, app);
        AppLog.AssertCalmAndDiscreet(app);
    }

    [Fact]
    public async Task Lost_connections_cost_nothing_that_a_retry_does_not_get_back()
    {
        var seed = Seed.Next();
        var random = new Random(seed);
        await using var postgres = await PostgresServer.StartOwn();
        await using var database = TestDatabase.On(postgres);
        await using var app = await AppProcess.Start(database);
        var load = Load.Start([app.Port], seed);
        var terminated = 0L;
        for (var round = 0; round < Terminations; round++)
        {
            await Acknowledges(load, EventsBefore / 10);
            await Task.Delay(random.Next(100)); // a random moment for the loss
            terminated += (await database.Query(
                "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'tally'",
                row => row.GetInt64(0))).Single();
        }
        await Acknowledges(load, EventsBefore);
        await load.Finish();
        Assert.True(terminated >= Terminations, $"Only {terminated} connections were there to be lost.");
        Assert.Contains("GroupCommit", app.Output); // a commit was among them
        await HistoryCheck.Holds(load.History, database, app);
        AppLog.AssertCalmAndDiscreet(app);
    }

    [Theory, InlineData("serve"), InlineData("migrate")]
    public async Task A_database_that_does_not_flush_at_commit_is_refused_in_one_line(string command)
    {
        await using var postgres = await PostgresServer.StartOwn();
        await using var database = TestDatabase.On(postgres);
        await database.Execute("alter database postgres set synchronous_commit = off");
        string[] serve = ["-port", $"{FreePort.Next()}", "-dbUrl", database.Url];
        var (exitCode, output, error) = await AppProcess.Run(command == "serve" ? serve : [command, .. serve]);
        Assert.Equal(1, exitCode);
        Assert.Equal("", output);
        Assert.Matches("^app: Postgres has synchronous_commit off[^\n]*\n$", error);
    }

    private static Task Acknowledges(Load load, int more)
    {
        var before = load.History.Acknowledged;
        return Eventually.True(() => Task.FromResult(load.History.Acknowledged >= before + more),
            $"Events are not acknowledged (any more): {load.History}", seconds: 60);
    }
}
