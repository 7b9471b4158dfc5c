using System.Globalization;
using Npgsql;
using Tally.Bench.Contenders;
using Tally.Bench.Results;
using Tally.Bench.Workloads;

namespace Tally.Bench.Parts;

/// <summary>
/// The app's resident memory, as the operating system counts it, and what its events take on the disk.
/// </summary>
internal static class Footprint
{
    public const string Resident = "memory of a resident fingerprint";
    public const string Peak = "peak memory while new fingerprints pass through";
    public const string Flatness = "memory in the last tenth of them / in the middle";

    private static readonly TimeSpan Long = TimeSpan.FromHours(3);
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(10); // the collector returns what a burst took
    private static readonly Workload NewFingerprints = Workload.All.Single(workload => workload.Name == "new");
    private const int Connections = 64, Parts = 10;
    private static readonly Dictionary<string, string> NoneLeaves =
        new() { ["Limits__ResidentFingerprintsMax"] = "100000000" };

    public static async Task Run(Settings settings, Ground ground, Report report, CancellationToken cancellation)
    {
        await using (var app = await StartWarm(settings, ground, await ground.CreateDatabase(), NoneLeaves))
        {
            var before = await Settled(app, cancellation);
            app.Run(NewFingerprints, new(Connections, Long, RequestsMax: settings.ResidentFingerprints));
            var after = await Settled(app, cancellation);
            report.Figures.Add(new(Resident, new([(after - before) / 1024 / settings.ResidentFingerprints]), "KB"));
        }

        var database = await ground.CreateDatabase();
        await using var passing = await StartWarm(settings, ground, database);
        var peaks = new List<double>();
        for (var part = 0; part < Parts; part++)
        {
            cancellation.ThrowIfCancellationRequested();
            peaks.Add(await PeakDuring(passing, settings.PassingFingerprints / Parts));
            Console.Error.WriteLine(
                string.Create(CultureInfo.InvariantCulture, $"tenth {part + 1}: {peaks[^1] / 1e6:N0} MB"));
        }
        report.Figures.Add(new(Peak, new([peaks.Max() / 1e6]), "MB"));
        report.Figures.Add(new(Flatness, new([peaks[^1] / peaks[Parts / 2 - 1]]), "ratio"));
        await MeasureDisk(database, report, cancellation);
    }

    private static async Task MeasureDisk(string database, Report report, CancellationToken cancellation)
    {
        await FilledLog.Merged(database, cancellation);
        await using var source = NpgsqlDataSource.Create(database);
        foreach (var table in (string[])["events", "visits"])
            report.Figures.Add(new($"disk: a row of {table} with its indexes",
                new([await source.BytesOfRow(table, cancellation)]), "bytes"));
    }

    private static async Task<Contender> StartWarm(Settings settings, Ground ground, string database,
        Dictionary<string, string>? environment = null)
    {
        var app = await Entrant.StartTallyWith(environment, ground, "tally", database);
        app.Run(NewFingerprints, new(Connections, settings.WarmUp));
        return app;
    }

    private static async Task<double> Settled(Contender app, CancellationToken cancellation)
    {
        await Task.Delay(Settling, cancellation);
        return ProcessTree.ResidentBytes(app.Processes[0]);
    }

    private static async Task<double> PeakDuring(Contender app, int fingerprints)
    {
        var load = Task.Run(() => app.Run(NewFingerprints, new(Connections, Long, RequestsMax: fingerprints)));
        double peak = 0;
        while (!load.IsCompleted)
        {
            peak = Math.Max(peak, ProcessTree.ResidentBytes(app.Processes[0]));
            await Task.WhenAny(load, Task.Delay(TimeSpan.FromSeconds(0.5)));
        }
        await load;
        return peak;
    }
}
