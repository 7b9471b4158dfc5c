using System.CommandLine;
using System.Globalization;
using Tally.Bench.Contenders;
using Tally.Bench.Parts;
using Tally.Bench.Results;
using Tally.Bench.Servers;
using Tally.Bench.Workloads;

namespace Tally.Bench;

/// <summary>The benchmark's command line.</summary>
internal static class BenchCommand
{
    private static readonly Option<bool> Quick = new("--quick") { Description = "About 3 minutes instead of 30" };
    private static readonly Option<string[]> PartNames =
        Names("--parts", "What to measure; without it compare, startup and client",
        Enum.GetNames<Part>());
    private static readonly Option<string[]> Workloads =
        Names("--workloads", "Which of them", [.. Workload.All.Select(w => w.Name)]);
    private static readonly Option<string[]> Contenders =
        Names("--contenders", "Which of them", [.. Entrant.All.Select(e => e.Name)]);
    private static readonly Option<int[]> Connections = Numbers("--connections", "Requests under way at once", 1);
    private static readonly Option<int?> Turns = new("--turns") { Description = "Turns of each contender" };
    private static readonly Option<double?> Seconds = new("--seconds") { Description = "Length of a turn" };
    private static readonly Option<double?> WarmUp =
        new("--warm-up") { Description = "Seconds before a contender's first turn" };
    private static readonly Option<int[]> Rows =
        Numbers("--rows", "Growth, totals, layouts: events in the log before it is measured", 0);
    private static readonly Option<string[]> LayoutNames =
        Names("--layouts", "Layouts: how the events are partitioned", [.. Layouts.All.Keys]);
    private static readonly Option<int[]> Silos = Numbers("--silos", "Cluster: silos of each cluster", 1);
    private static readonly Option<int?> Resident =
        new("--resident") { Description = "Footprint: fingerprints that become resident" };
    private static readonly Option<int?> Passing =
        new("--passing") { Description = "Footprint: new fingerprints that pass through" };
    private static readonly Option<string?> App =
        new("--app") { Description = "A published app to measure; without it this checkout's" };
    private static readonly Option<string?> Db = new("--db")
    {
        Description = "Npgsql connection string of a Postgres to use; without it one is started",
    };
    private static readonly Option<string> Output = new("--output")
    {
        Description = "Folder for report.md and report.json",
        DefaultValueFactory = _ => Path.Combine("artifacts", "bench"),
    };

    public static Task<int> Run(string[] args)
    {
        var root = new RootCommand(
            "Measures Tally against what one would use instead, each contender in turn and in a process of its own.")
        {
            Quick, PartNames, Workloads, Contenders, Connections, Turns, Seconds, WarmUp, Rows, LayoutNames, Silos,
            Resident, Passing, App, Db, Output, Charts(), Serve(),
        };
        root.SetAction((result, cancellation) => BenchRun.Run(
            Read(result), result.GetValue(App), result.GetValue(Db), result.GetValue(Output)!, cancellation));
        // Long enough to finish a turn and to stop what was started.
        return root.Parse(args).InvokeAsync(new() { ProcessTerminationTimeout = TimeSpan.FromMinutes(2) });
    }

    private static Command Charts()
    {
        Argument<string> report = new("report") { Description = "A report.json" };
        Argument<string> folder = new("folder") { Description = "Where the charts go" };
        var charts = new Command("charts", "Draws the charts of a report again") { report, folder };
        charts.SetAction(async (result, _) =>
            await (await Report.Read(result.GetValue(report)!)).WriteCharts(result.GetValue(folder)!));
        return charts;
    }

    // The contenders' own processes are started with this.
    private static Command Serve()
    {
        Argument<string> name = new("name"), database = new("database");
        Argument<int> port = new("port");
        var serve = new Command("serve", "One contender's server") { name, port, database };
        serve.Hidden = true;
        serve.SetAction((result, _) =>
            BenchServer.ByName[result.GetValue(name)!](result.GetValue(port), result.GetValue(database)!));
        return serve;
    }

    private static Settings Read(ParseResult result)
    {
        var quick = result.GetValue(Quick);
        string[] workloads = Given(Workloads)
            ?? (quick ? ["hot", "new", "repeats", "counters"] : [.. Workload.All.Select(w => w.Name)]);
        string[] contenders = Given(Contenders) ?? [.. Entrant.All.Select(e => e.Name)
            .Where(name => !quick || !name.EndsWith("-sqlite", StringComparison.Ordinal))];
        string[] parts = Given(PartNames) ?? (quick ? ["Compare"] : ["Compare", "StartUp", "Client"]);
        return new([.. parts.Select(Enum.Parse<Part>)],
            [.. Workload.All.Where(w => workloads.Contains(w.Name))], contenders,
            Given(Connections) ?? (quick ? [256] : [64, 256]),
            result.GetValue(Turns) ?? (quick ? 2 : 3),
            TimeSpan.FromSeconds(result.GetValue(Seconds) ?? (quick ? 2 : 5)),
            TimeSpan.FromSeconds(result.GetValue(WarmUp) ?? (quick ? 4 : 15)),
            Quiet: TimeSpan.FromSeconds(quick ? 0.5 : 2),
            Given(Rows) ?? [0, 1_000_000, 18_000_000, 30_000_000], // 0, 1, 10 and 16 million fingerprints
            Given(Rows) ?? [1_000_000, 30_000_000],
            Given(Rows) ?? [0, 30_000_000],
            Given(LayoutNames) ?? [.. Layouts.All.Keys],
            Given(Silos) ?? [1, 2, 3, 5],
            result.GetValue(Resident) ?? 500_000,
            result.GetValue(Passing) ?? 5_000_000);

        T[]? Given<T>(Option<T[]> option) =>
            result.GetResult(option) is { Implicit: false } ? result.GetValue(option) : null;
    }

    private static Option<string[]> Names(string name, string description, string[] known) =>
        List(name, $"{description}: {string.Join(',', known)}", "names among those that -h lists", text =>
            known.Where(candidate => candidate.Equals(text, StringComparison.OrdinalIgnoreCase)));

    private static Option<int[]> Numbers(string name, string description, int min) =>
        List<int>(name, description, $"whole numbers from {min}", text =>
            int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min
                ? [number] : []);

    /// <param name="read">Reads one value; returns none if the text is wrong.</param>
    private static Option<T[]> List<T>(string name, string description, string expected,
        Func<string, IEnumerable<T>> read) => new(name)
        {
            Description = description,
            HelpName = "list",
            CustomParser = result =>
            {
                var values = result.Tokens[0].Value.Split(',').Select(text => read(text.Trim()).ToArray()).ToList();
                if (values.Any(value => value.Length == 0))
                    result.AddError($"{name}: expected {expected}, separated by commas.");
                return [.. values.SelectMany(value => value)];
            },
        };
}
