using System.Globalization;
using System.Text;

namespace Tally.Bench.Results;

/// <summary>The report in the form that people read.</summary>
internal static class Markdown
{
    public static string Write(Report report)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in report.Conditions)
            text.AppendLine(CultureInfo.InvariantCulture, $"- {name}: {value}");

        Table(text,
            "Medians of all turns, smallest to largest; latencies at half of a contender's own capacity, from when a "
            + "request was due; processor time of the contender's own processes, of the database, of the load client",
            ["workload", "connections", "contender", "events/s", "spread", "tally / it", "refused",
                "p50 ms", "p99 ms", "p99.9 ms", "own us/event", "database us/event", "client us/event"],
            report.Throughputs.Select(t => Row(report, t)));

        Table(text, "Targets", ["measure", "target", "found", "met"], report.Targets.Select(target => (string[])
        [
            target.Measure, $"{(target.AtLeast ? ">=" : "<=")} {Number(target.Limit)}", Number(target.Found),
            target.Met switch { true => "yes", false => "NO", null => "not measured" },
        ]));

        Table(text, "Other figures", ["what", "median", "spread", "unit"], report.Figures.Select(figure => (string[])
            [figure.What, Number(figure.Value.Median), Range(figure.Value), figure.Unit]));

        Table(text, "Not run", ["workload", "contender", "why"], report.NotRun.Select(missing => (string[])
            [missing.Workload, missing.Contender, missing.Why]));
        return text.ToString();
    }

    private static string[] Row(Report report, Throughput t)
    {
        var latency =
            report.Latencies.Find(l =>
                l.Workload == t.Workload && l.Contender == t.Contender && l.Connections == t.Connections);
        var tally = t.Contender.EndsWith("-sqlite", StringComparison.Ordinal) ? "tally-sqlite" : "tally";
        return
        [
            t.Workload, $"{t.Connections}", t.Contender, Number(t.EventsPerSecond.Median), Range(t.EventsPerSecond),
            t.Contender == tally ? ""
                : Number(report.EventsPerSecond(t.Workload, tally, t.Connections) / t.EventsPerSecond.Median),
            t.RefusedShare > 0 ? t.RefusedShare.ToString("P1", CultureInfo.InvariantCulture) : "",
            Number(latency?.P50.Median), Number(latency?.P99.Median), Number(latency?.P999.Median),
            Number(t.OwnMicroseconds.Median), Number(t.DatabaseMicroseconds.Median),
            Number(t.ClientMicroseconds.Median),
        ];
    }

    private static void Table(StringBuilder text, string title, string[] columns, IEnumerable<string[]> rows)
    {
        string[][] lines = [columns, .. rows];
        if (lines.Length == 1) return;
        var widths = columns.Select((_, column) => lines.Max(line => line[column].Length)).ToArray();
        void Line(IEnumerable<string> cells) =>
            text.AppendLine(CultureInfo.InvariantCulture, $"| {string.Join(" | ", cells)} |");

        text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"{title}:").AppendLine();
        Line(columns.Select((cell, column) => cell.PadRight(widths[column])));
        Line(widths.Select(width => new string('-', width)));
        foreach (var line in lines.Skip(1)) Line(line.Select((cell, column) => cell.PadRight(widths[column])));
    }

    private static string Range(Spread spread) =>
        spread.Turns.Count < 2 ? "" : $"{Number(spread.Min)} - {Number(spread.Max)}";

    // Enough decimals for three significant digits, at most two.
    private static string Number(double? value) => value switch
    {
        null or double.NaN => "",
        { } number when Math.Abs(number) >= 100 => number.ToString("N0", CultureInfo.InvariantCulture),
        { } number when Math.Abs(number) >= 10 => number.ToString("F1", CultureInfo.InvariantCulture),
        { } number => number.ToString("F2", CultureInfo.InvariantCulture),
    };
}
