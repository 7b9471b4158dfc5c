using System.Diagnostics;
using System.Globalization;
using Npgsql;
using Tally.Bench.Contenders;
using Tally.Bench.Results;
using Tally.Bench.Workloads;

namespace Tally.Bench.Parts;

/// <summary>
/// What partitions of the event log would be worth: the app on one table, and on the same table in partitions.
/// </summary>
internal static class Layouts
{
    /// <summary>The names, and the script that makes the layout of an empty, migrated database.</summary>
    public static readonly IReadOnlyDictionary<string, string?> All = new Dictionary<string, string?>
    {
        ["one"] = null, ["fingerprint"] = "events_by_fingerprint.sql", ["month"] = "events_by_month.sql",
    };

    private const int LoadedFingerprints = 2_000, ScannedEvents = 2_000_000;
    private static readonly TimeSpan Age = TimeSpan.FromDays(90);
    private static readonly Workload[] Written =
        [.. Workload.All.Where(one => one.Name is "new" or "mixed").Select(one => one with { WithLatency = false })];

    private sealed record Log(string Layout, int Rows, string Database, Contender App)
    {
        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Layout}, {Rows:N0} rows");
    }

    public static async Task Run(Settings settings, Ground ground, Turns turns, Report report,
        CancellationToken cancellation)
    {
        foreach (var rows in settings.LayoutRowCounts)
        {
            var logs = new List<Log>();
            try
            {
                foreach (var layout in settings.Layouts)
                    logs.Add(await Create(layout, rows, ground, cancellation));
                await turns.Measure(from workload in Written from log in logs select new Pairing(workload, log.App),
                    cancellation);
                foreach (var log in logs) await MeasurePages(settings, log, report, cancellation);
                if (rows > 0)
                    foreach (var log in logs) await MeasureStatements(settings, log, report, cancellation);
            }
            finally
            {
                foreach (var log in logs) await log.App.DisposeAsync();
                foreach (var log in logs) await ground.DropDatabase(log.Database);
            }
        }
    }

    private static async Task<Log> Create(string layout, int rows, Ground ground, CancellationToken cancellation)
    {
        var database = await ground.CreateDatabase();
        await ground.Migrate(database);
        if (All[layout] is { } script)
        {
            await using var source = NpgsqlDataSource.Create(database);
            await source.Execute(Scripts.Read(script), cancellation);
        }
        await FilledLog.Fill(database, rows, Age, cancellation);
        var name = string.Create(CultureInfo.InvariantCulture, $"tally, events {layout}, {rows:N0} rows");
        return new(layout, rows, database, await Entrant.StartTally(ground, name, database));
    }

    // After a checkpoint each page that is changed is written to the WAL as a whole.
    private static async Task MeasurePages(Settings settings, Log log, Report report, CancellationToken cancellation)
    {
        await using var source = NpgsqlDataSource.Create(log.Database);
        var bytes = new List<double>();
        for (var turn = 0; turn < settings.Turns; turn++)
        {
            await source.Execute("checkpoint", cancellation);
            var before = await source.Number("select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')", cancellation);
            var answered = log.App.Run(Written.Single(one => one.Name == "new"),
                new(settings.Connections.Max(), settings.Turn)).Answered;
            var after = await source.Number("select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')", cancellation);
            bytes.Add((after - before) / answered);
        }
        report.Figures.Add(new($"WAL of a new fingerprint's event after a checkpoint, {log}", new(bytes), "bytes"));
        report.Figures.Add(new($"events with their indexes, {log}",
            new([await source.BytesOfRow("events", cancellation)]), "bytes an event"));
    }

    private static async Task MeasureStatements(Settings settings, Log log, Report report,
        CancellationToken cancellation)
    {
        await using var source = NpgsqlDataSource.Create(log.Database);
        List<double> loads = [], scans = [];
        for (var turn = 0; turn < settings.Turns; turn++)
        {
            await source.Execute("drop table if exists asked; create table asked as select fingerprint from events "
                + $"tablesample system (1) order by random() limit {LoadedFingerprints}; analyze asked", cancellation);
            loads.Add(await Seconds("select count(e) from asked, lateral (select * from events e "
                + "where e.fingerprint = asked.fingerprint order by e.sequence desc limit 256) as e")
                    * 1_000_000 / await source.Number("select count(*) from asked", cancellation));
            scans.Add(await Seconds("select count(action) from (select * from events where fingerprint > "
                + $"'v-{turn + 1}' order by fingerprint, sequence limit {ScannedEvents}) as page")
                    * 1_000_000 / Math.Min(ScannedEvents, log.Rows));
        }
        report.Figures.Add(new($"load of a fingerprint, {log}", new(loads), "us"));
        report.Figures.Add(
            new($"read in the order of fingerprints (export, verify), {log}", new(scans), "us an event"));
        report.Figures.Add(new($"vacuum after inserts, {log}", new([await Seconds("vacuum events")]), "s"));
        // Retention's share: a third of the time.
        report.Figures.Add(new($"the oldest third removed, {log}", new([log.Layout == "month"
            ? await Seconds("drop table events_0")
            : await Seconds("delete from events where created < now() - interval '60 days'")]), "s"));
        report.Figures.Add(new($"vacuum after that, {log}", new([await Seconds("vacuum events")]), "s"));

        async Task<double> Seconds(string sql)
        {
            var begun = Stopwatch.GetTimestamp();
            await source.Execute(sql, cancellation);
            return Stopwatch.GetElapsedTime(begun).TotalSeconds;
        }
    }
}
