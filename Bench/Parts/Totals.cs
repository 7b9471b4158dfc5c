using System.Globalization;
using Tally.Bench.Client;
using Tally.Bench.Contenders;
using Tally.Bench.Results;
using Tally.Bench.Workloads;

namespace Tally.Bench.Parts;

/// <summary>Questions about 90 days by the hour: on logs of different lengths, and while events are recorded.</summary>
internal static class Totals
{
    public const string Ratio = "totals of 90 days by the hour, on the longest log / on the shortest";
    public const string Beside =
        "hot with a reader of totals, 10 a second, and one of counters, 100 a second / without";

    public const int Days = 90;
    private const double TotalsPerSecond = 10, CountersPerSecond = 100;

    private static readonly Workload Question =
        new("totals", "90 days by the hour", Ask.ReadTotals, Draw.Hot, ["tally"]);
    private static readonly Workload Hot = Workload.All.Single(workload => workload.Name == "hot");
    private static readonly Workload Counters = Workload.All.Single(workload => workload.Name == "counters");

    public static async Task Run(Settings settings, Ground ground, Report report, CancellationToken cancellation)
    {
        var contenders = new List<(int Rows, Contender App)>();
        try
        {
            foreach (var rows in settings.TotalsRowCounts)
            {
                cancellation.ThrowIfCancellationRequested();
                var database = await ground.CreateDatabase();
                await ground.Migrate(database);
                await FilledLog.Fill(database, rows, TimeSpan.FromDays(Days), cancellation);
                contenders.Add((rows, await Entrant.StartTally(ground, Growth.NameAt(rows), database)));
                await FilledLog.Merged(database, cancellation);
            }
            MeasureCost(settings, contenders, report, cancellation);
            await MeasureBeside(settings, contenders[^1].App, report, cancellation);
        }
        finally
        {
            foreach (var (_, app) in contenders) await app.DisposeAsync();
        }
    }

    private static void MeasureCost(Settings settings, List<(int Rows, Contender App)> contenders, Report report,
        CancellationToken cancellation)
    {
        foreach (var (_, app) in contenders) app.Run(Question, new(Connections: 1, settings.WarmUp));
        var turns = contenders.ToDictionary(one => one.Rows, _ => new List<double>());
        for (var round = 0; round < settings.Turns; round++)
            foreach (var (rows, app) in round % 2 == 0 ? contenders : contenders.AsEnumerable().Reverse())
            {
                cancellation.ThrowIfCancellationRequested();
                turns[rows].Add(
                    Answered(app, app.Run(Question, new(Connections: 1, settings.Turn))).Latencies.Milliseconds(0.5));
            }
        foreach (var (rows, milliseconds) in turns)
            report.Figures.Add(
                new(string.Create(CultureInfo.InvariantCulture, $"totals of {Days} days by the hour, {rows:N0} events"),
                    new(milliseconds), "ms"));
        var (shortest, longest) = (turns[turns.Keys.Min()], turns[turns.Keys.Max()]);
        report.Figures.Add(new(Ratio, new([.. longest.Zip(shortest, (of, to) => of / to)]), "ratio"));
    }

    private static async Task MeasureBeside(Settings settings, Contender app, Report report,
        CancellationToken cancellation)
    {
        app.Prime();
        app.Run(Counters, new(Connections: 1, settings.WarmUp));
        app.Run(Hot, new(settings.Connections.Max(), settings.WarmUp));
        List<double> paced = [], unpaced = [], totals = [], counters = [];
        for (var turn = 0; turn < settings.Turns; turn++)
        {
            cancellation.ThrowIfCancellationRequested();
            var alone = await PerSecond(Asking.NotAtAll);
            var beside = await PerSecond(Asking.Paced);
            var besideLoops = await PerSecond(Asking.WithoutPause);
            alone = (alone + await PerSecond(Asking.NotAtAll)) / 2; // before and after
            paced.Add(beside / alone);
            unpaced.Add(besideLoops / alone);
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"hot: {alone:N0}/s alone, {beside:N0}/s beside questions, {besideLoops:N0}/s beside questions "
                    + $"without a pause"));
        }
        report.Figures.Add(new(Beside, new(paced), "ratio"));
        report.Figures.Add(new("hot with the same readers asking without a pause / without", new(unpaced), "ratio"));
        report.Figures.Add(new("totals answered then", new(totals), "1/s"));
        report.Figures.Add(new("counters answered then", new(counters), "1/s"));

        async Task<double> PerSecond(Asking asking)
        {
            await Task.Delay(settings.Quiet, cancellation);
            var readers = asking == Asking.NotAtAll ? null
                : Task.WhenAll(Reader(Question, TotalsPerSecond), Reader(Counters, CountersPerSecond));
            var result =
                Answered(app, await Task.Run(() => app.Run(Hot, new(settings.Connections.Max(), settings.Turn))));
            if (readers is not null && await readers is [var ofTotals, var ofCounters] && asking == Asking.WithoutPause)
            {
                totals.Add(Answered(app, ofTotals).Answered / ofTotals.Seconds);
                counters.Add(Answered(app, ofCounters).Answered / ofCounters.Seconds);
            }
            return result.Answered / result.Seconds;

            Task<LoadResult> Reader(Workload questions, double perSecond) => Task.Run(() =>
                app.Run(questions, new(Connections: 1, settings.Turn, asking == Asking.Paced ? perSecond : null)));
        }
    }

    private enum Asking { NotAtAll, Paced, WithoutPause }

    private static LoadResult Answered(Contender app, LoadResult result) =>
        result.Answered > 0 && result.Refused * 100 <= result.Answered
        ? result : throw new InvalidOperationException($"{app.Name} answers {result.RefusedWith}.");
}
