using System.CommandLine;
using Tally.Grains;
using Tally.Silo.Http;
using Tally.Silo.Http.Exports;
using static Tally.Silo.CommandLine.FlagValues;

namespace Tally.Silo.CommandLine;

/// <summary>The flags of <c>app export</c>, beside the service's.</summary>
internal static class ExportFlags
{
    private static readonly Argument<string> File =
        new("file") { Description = "A file, which is replaced when the export is whole, or - for standard output" };
    private static readonly IReadOnlyList<Flag<ExportSettings>> All =
    [
        new("from", "url", "auto", "The service to read from; auto is the one on this machine, by -host and -port",
            (export, text) => export with { From = ParseServiceUrl(text) }),
        new("key", "key", None, "The service's read key, if it asks for one",
            (export, text) => export with { Key = ParseServiceKey(text) }),
        new("since", "time", None, "Events that occurred at this time or later: a day, or a time in RFC 3339 format",
            (export, text) => export with { Since = ParseTime(text) }),
        new("until", "time", None, "Events that occurred before this time",
            (export, text) => export with { Until = ParseTime(text) }),
        new("product", "name", None, "Events of this product",
            (export, text) => export with { Product = text == None ? null : text }),
        new("format", "name", "auto", """
            ndjson, csv or parquet; auto goes by the file's name, which may end in .gz,
            and is ndjson for standard output
            """, (export, text) => export with { Format = ParseFormat(text) }),
    ];

    /// <param name="run">Runs with what was given.</param>
    public static Command Command(Func<ParseResult, ExportSettings, Task<int>> run)
    {
        var command =
            new Command("export", "Write a running service's rows to a file; reconnects if it has to") { File };
        All.AddTo(command);
        command.SetAction((line, cancellation) => run(line, All.Bind(line, new ExportSettings(line.GetValue(File)!))));
        return command;
    }

    private static string? ParseTime(string text) =>
        text == None ? null
        : Timestamp.TryParseTimeOrDay(text, Calendar.Utc, out _) ? text
        : throw new FormatException(
            "expected a day such as 2026-01-02, or a time in RFC 3339 format, such as 2026-01-02T10:30:00Z");

    private static string? ParseFormat(string text) =>
        text == "auto" ? null
        : ExportFormat.Names.Contains(text) ? text
        : throw new FormatException("expected ndjson, csv, parquet or auto");
}
