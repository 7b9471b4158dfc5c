using System.Globalization;
using System.Text.Json;
using Tally.Tests.Harness;

namespace Tally.Tests.CommandLine;

/// <summary>The flag -timeZone, what the database keeps of it, and app rezone.</summary>
public sealed class TimeZones(PostgresServer server)
{
    private const string Berlin = "Europe/Berlin";

    [Fact]
    public async Task A_name_that_is_no_zone_is_refused_in_one_line()
    {
        foreach (var name in (string[])
                 [
                     "Europe/Berlín", "europe/berlin", "../etc/passwd", "/etc/localtime", "CET-1CEST", " ",
                     "Europe/Berlin;drop table events", new('A', 10_000),
                 ])
        {
            var (exitCode, output, error) = await AppProcess.Run(["-timeZone", name, "-dbUrl", "sqlite:/nowhere/x.db"]);
            Assert.Equal((2, "", "app: -timeZone: expected a time zone of the IANA database, such as Europe/Berlin, or "
                + "UTC. See app -help.\n"), (exitCode, output, error));
        }
        var rezone = await AppProcess.Run(["rezone", "Europe/Nowhere", "-dbUrl", "sqlite:/nowhere/x.db"]);
        Assert.Equal((2, "app: the zone: expected a time zone of the IANA database, such as Europe/Berlin, or UTC. "
            + "See app -help.\n"), (rezone.ExitCode, rezone.Error));
        Assert.Equal(2, (await AppProcess.Run(["rezone", "-dbUrl", "sqlite:/nowhere/x.db"])).ExitCode);
    }

    [Theory, EachStorage]
    public async Task A_start_in_another_zone_is_refused_in_one_line(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using (var app = await AppProcess.Start(at, flags: ["-timeZone", Berlin]))
        {
            Assert.Equal(Berlin, (await app.Get("/api/totals")).Text("timeZone"));
            Assert.Equal(0, await app.Terminate());
        }
        foreach (var zone in (string[])["UTC", "Europe/Paris"])
        {
            var (exitCode, _, error) =
                await AppProcess.Run(["-timeZone", zone, "-dbUrl", at.Url, "-port", $"{FreePort.Next()}"]);
            Assert.Equal((1, $"app: the database counts the days of {Berlin}, and -timeZone is {zone}: set it to "
                + $"{Berlin}, or count anew from the log with app rezone {zone}\n"), (exitCode, error));
        }
        await using var again = await AppProcess.Start(at, new() { ["APP_TIME_ZONE"] = Berlin });
    }

    [Fact]
    public async Task Of_silos_that_start_together_in_different_zones_those_of_one_win()
    {
        await using var at = await TestDatabase.Create(StorageKind.Postgres, server);
        string[] zones = [Berlin, "America/New_York", "Asia/Kathmandu"];
        var silos = zones.Select(zone => AppProcess.Launch(at, flags: ["-timeZone", zone])).ToList();
        try
        {
            await Eventually.True(() => Task.FromResult(silos.Count(silo => silo.HasExited) == 2),
                "Not all but one are refused.");
            var winner = silos.Single(silo => !silo.HasExited);
            await winner.WaitReady();
            Assert.Equal(await at.Query("select name from time_zone", row => row.GetString(0)),
                [zones[silos.IndexOf(winner)]]);
        }
        finally
        {
            foreach (var silo in silos) await silo.DisposeAsync();
        }
    }

    [Theory, EachStorage]
    public async Task A_recounted_database_is_as_if_it_had_been_in_that_zone_from_the_start(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var other = await TestDatabase.Create(storage, server);
        var random = new Random(Seed.Next());
        var batches = Enumerable.Range(0, 4).Select(batch => Batch(random, batch)).ToList();
        foreach (var (database, zone) in ((TestDatabase, string)[])[(at, "UTC"), (other, "Australia/Lord_Howe")])
        {
            await using var app = await AppProcess.Start(database, new() { ["APP_TIME_ZONE"] = zone });
            foreach (var batch in batches)
                Assert.Equal(200,
                    (await app.Post(batch, "application/json", path: Requests.BatchPath + "?history=true")).Status);
            await Eventually.True(async () => (await database.Query("select (select count(*) from rollup_deltas) "
                + "+ (select count(*) from visit_deltas) + (select count(*) from dimension_deltas)",
                row => row.GetInt64(0)))[0] == 0, "Not all is merged.");
            Assert.Equal(0, await app.Terminate());
        }

        var (exitCode, output, error) = await AppProcess.Run(["rezone", "Australia/Lord_Howe", "-dbUrl", at.Url]);
        Assert.Equal((0, ""), (exitCode, error));
        Assert.Equal("400 events of 7 fingerprints are counted by the days of Australia/Lord_Howe. Start the service "
            + "with -timeZone Australia/Lord_Howe.\n", output);
        await AppProcess.AssertVerifies(at);
        foreach (var rows in (string[])
                 [
                     "select minute || ' ' || product || ' ' || action || ' ' || events || ' ' || new_fingerprints || ' ' "
                         + "|| daily_fingerprints || ' ' || daily_product_fingerprints from rollups",
                     "select hour || ' ' || day || ' ' || product || ' ' || action || ' ' || events || ' ' || "
                         + "daily_fingerprints || ' ' || daily_product_fingerprints from rollup_hours",
                     "select day || ' ' || product || ' ' || fingerprint || ' ' || events || ' ' || first_seen || ' ' || "
                         + "last_seen from visits",
                     "select product || ' ' || dimension || ' ' || day || ' ' || value || ' ' || events || ' ' || "
                         + "fingerprints from dimension_values",
                     "select product || ' ' || action || ' ' || events from counters", "select name from time_zone",
                     "select count(*) || '' from dimension_visits",
                 ])
        {
            var expected = await other.Query(rows, row => row.GetString(0));
            Assert.NotEmpty(expected);
            Assert.Equal(expected.Order(), (await at.Query(rows, row => row.GetString(0))).Order());
        }

        await using var again = await AppProcess.Start(at, new() { ["APP_TIME_ZONE"] = "Australia/Lord_Howe" });
        await using var same = await AppProcess.Start(other, new() { ["APP_TIME_ZONE"] = "Australia/Lord_Howe" });
        for (var visitor = 0; visitor < 7; visitor++)
            Assert.Equal($"{(await same.View($"visitor-{visitor}")).Body}",
                $"{(await again.View($"visitor-{visitor}")).Body}");
    }

    private static byte[] Batch(Random random, int number) => JsonSerializer.SerializeToUtf8Bytes(
        Enumerable.Range(0, 100).Select(i =>
        {
            var one = SentEvent.Draw(random, 100 * number + i, new(2026, 4, 20, 7, 0, 0, DateTimeKind.Utc));
            return new
            {
                one.Id, one.Fingerprint, one.Product, one.Action,
                timestamp = one.Occurred.ToString(SentEvent.TimeFormat, CultureInfo.InvariantCulture),
                properties = random.Next(3) == 0 ? null : new { path = $"/{random.Next(3)}" },
            };
        }), JsonSerializerOptions.Web);

    [Theory, EachStorage]
    public async Task A_recount_is_refused_while_a_silo_runs_and_after_an_erasure_and_changes_nothing_if_it_fails(
        StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        string[] rezone = ["rezone", Berlin, "-dbUrl", at.Url];
        await using (var app = await AppProcess.Start(at))
        {
            foreach (var fingerprint in (string[])["a", "b"])
                Assert.Equal(200, (await app.PostForm($"action=view&product=k8s&fingerprint={fingerprint}")).Status);
            var served = await AppProcess.Run(rezone);
            Assert.Equal(1, served.ExitCode);
            Assert.Contains(storage == StorageKind.Sqlite ? "is in use by another process." : ": stop all silos first.",
                served.Error);
            Assert.Equal(0, await app.Terminate());
        }
        var before = await Visits();
        await at.Execute(storage == StorageKind.Sqlite
            ? "create trigger broken before insert on rollup_hours begin select raise(abort, 'broken'); end"
            : "create function broken() returns trigger language plpgsql as 'begin raise exception ''broken''; end'; "
                + "create trigger broken before insert on rollup_hours for each row execute function broken()");
        var failed = await AppProcess.Run(rezone);
        Assert.Equal(1, failed.ExitCode);
        Assert.Contains("broken", Assert.Single(failed.Error.TrimEnd().Split('\n')));
        Assert.Equal(before, await Visits());
        Assert.Equal(["UTC"], await at.Query("select name from time_zone", row => row.GetString(0)));
        await at.Execute("drop trigger broken" + (storage == StorageKind.Sqlite ? "" : " on rollup_hours"));
        await AppProcess.AssertVerifies(at);

        await using (var app = await AppProcess.Start(at))
        {
            Assert.Equal(200, (int)(await app.Http.DeleteAsync("/api/fingerprints/a")).StatusCode);
            Assert.Equal(0, await app.Terminate());
        }
        var refused = await AppProcess.Run(rezone);
        Assert.Equal((1, ""), (refused.ExitCode, refused.Output));
        Assert.EndsWith(" cannot be counted anew: of events that were erased or pruned only sums by day are left, which "
            + "cannot be cut into other days.\n", refused.Error);
        Assert.Equal(["UTC"], await at.Query("select name from time_zone", row => row.GetString(0)));
        await AppProcess.AssertVerifies(at);

        Task<List<string>> Visits() => at.Query("select fingerprint from visits order by 1", row => row.GetString(0));
    }
}
