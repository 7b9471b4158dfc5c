using System.Text.RegularExpressions;
using Npgsql;
using Tally.Silo.Storage;
using Tally.Silo.Storage.Postgres;
using Tally.Tests.Harness;

namespace Tally.Tests.Storage;

/// <summary>
/// In Postgres the service needs a role that may only read and write rows. Another role, the tables' owner, runs app
/// migrate.
/// </summary>
public sealed partial class LeastPrivilege
{
    private const int Events = 300;

    [Fact]
    public async Task A_role_that_reads_and_writes_rows_serves_what_the_owner_has_migrated()
    {
        await using var postgres = await PostgresServer.StartOwn();
        await using var owners = TestDatabase.On(postgres);
        await MakeRoles(owners);
        await using var rows = As("serving", owners, postgres);
        Assert.Equal(0, (await AppProcess.Run(["migrate", "-dbUrl", owners.Url])).ExitCode);

        await using var app = await AppProcess.Start(rows);
        var load = Load.Start([app.Port], Seed.Next());
        await load.Acknowledges(Events);
        await load.Finish();
        load.History.AssertAllAcknowledged();
        await HistoryCheck.Holds(load.History, owners, app);
        foreach (var fingerprint in (string[])["hot-0", "hot-1?suppress=true"])
            Assert.Equal(200, (int)(await app.Http.DeleteAsync($"/api/fingerprints/{fingerprint}")).StatusCode);
        Assert.Equal(202, (int)(await app.Http.PostAsync("/api/verifications", null)).StatusCode);
        await Eventually.True(async () => (await app.Get("/api/verifications")).Body.GetProperty("ended")
            .EnumerateArray().Any(proof => proof.GetProperty("state").GetString() == "held"),
            () => $"The verification does not hold: {app.Output}");
        Assert.Equal(0, await app.Terminate()); // writes snapshots
        await using var reading = As("reading", owners, postgres);
        var (exitCode, _, error) = await AppProcess.Run(["verify", "-dbUrl", reading.Url]);
        Assert.Equal((0, ""), (exitCode, error));
        Assert.Empty(Denial().Matches(await postgres.ReadLog()));
    }

    [Fact]
    public async Task Without_the_owner_the_start_is_refused_in_one_line()
    {
        await using var postgres = await PostgresServer.StartOwn();
        await using var owners = TestDatabase.On(postgres);
        await MakeRoles(owners);
        await using var rows = As("serving", owners, postgres);
        foreach (var command in (string[][])[[], ["migrate"]])
        {
            var (exitCode, output, error) =
                await AppProcess.Run([.. command, "-port", $"{FreePort.Next()}", "-dbUrl", rows.Url]);
            Assert.Equal((1, ""), (exitCode, output));
            Assert.Matches("^app: [^\n]*permission denied for schema public[^\n]*\n$", error);
        }
    }

    // Serving uses scripts of rows only. Migrating and app rezone are the owner's.
    [Fact]
    public void No_script_but_that_of_rezone_needs_more() =>
        Assert.Equal(["empty_counts"], PostgresStorage.Scripts.Names.Concat(new SqlScripts("Sql").Names)
            .Where(name => Definition().IsMatch(PostgresStorage.Scripts[name])));

    private static async Task MakeRoles(TestDatabase owners)
    {
        await owners.Execute("create role serving login; create role reading login");
        await owners.Execute("revoke create on schema public from public"); // as from Postgres 15 on
        await owners.Execute(
            "alter default privileges in schema public grant select, insert, update, delete on tables to serving");
        await owners.Execute("alter default privileges in schema public grant select on tables to reading");
    }

    private static TestDatabase As(string role, TestDatabase owners, LocalPostgres postgres) => owners.Through(
        new NpgsqlConnectionStringBuilder(postgres.Settings.ConnectionString) { Username = role }.ConnectionString);

    [GeneratedRegex("permission denied.*")]
    private static partial Regex Denial();

    [GeneratedRegex(@"^\s*(alter|analyze|create|drop|lock table|reindex|truncate|vacuum)\s",
        RegexOptions.IgnoreCase | RegexOptions.Multiline)]
    private static partial Regex Definition();
}
