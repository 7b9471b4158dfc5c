using System.CommandLine;
using Tally.Silo.Import;
using Tally.Silo.Import.Tools;
using Tally.Silo.Settings;
using static Tally.Silo.CommandLine.FlagValues;

namespace Tally.Silo.CommandLine;

/// <summary>The flags of <c>app import</c>, beside the service's.</summary>
internal static class ImportFlags
{
    // Whoever has the fingerprints may try salts and addresses.
    private const int SaltCharactersMin = 16;

    private static readonly Argument<string> Source =
        new("source")
        {
            Description =
            "A file (NDJSON, CSV or another tool's export, also in gzip), - for standard input, or a postgres:// URL"
        };
    private static readonly IReadOnlyList<Flag<ImportSettings>> All =
    [
        new("to", "url", "auto", "The service to write to; auto is the one on this machine, by -host and -port",
            (import, text) => import with { To = ParseServiceUrl(text) }),
        new("key", "key", None, "The service's write key, if it asks for one",
            (import, text) => import with { Key = ParseServiceKey(text) }),
        new("time", "name", "auto", """
            The column or field with the events' times
              auto: by its usual names; an import without one stops
              now: likewise, but an event without a time gets the current one
            """, (import, text) => import with { Times = ParseTime(text) }),
        new("format", "name", "auto", """
            What the source is: tally, accesslog, goatcounter, posthog, umami, ga4 or matomo;
            auto recognises it
            """, (import, text) => import with { Tool = import.Tool with { Format = ParseFormat(text) } }),
        new("product", "name", None, "The product of another tool's events, instead of the site that it names",
            (import, text) => import with { Tool = import.Tool with { Product = text == None ? null : text } }),
        new("salt", "secret", None, """
            Secret that turns an access log's addresses into fingerprints; the same salt gives the
            same ones
            """, (import, text) => import with { Tool = import.Tool with { Salt = ParseSalt(text) } }),
        Flag<ImportSettings>.Switch("dryRun", "Say what an import would send, and send nothing",
            (import, isDryRun) => import with { IsDryRun = isDryRun }),
    ];

    /// <param name="run">Runs with what was given.</param>
    public static Command Command(Func<ParseResult, ImportSettings, Task<int>> run)
    {
        var command = new Command("import", "Send recorded events to a running service; repeats are safe") { Source };
        All.AddTo(command);
        command.SetAction((line, cancellation) =>
            run(line, All.Bind(line, new ImportSettings(ParseSource(line.GetValue(Source)!), TimeChoice.Found))));
        return command;
    }

    private static TimeChoice ParseTime(string text) => text switch
    {
        "auto" => TimeChoice.Found,
        "now" => TimeChoice.Now,
        "" => throw new FormatException("expected a column's or a field's name, auto or now"),
        _ => new(text, NowWhereMissing: false),
    };

    private static string? ParseFormat(string text) =>
        text == "auto" ? null
        : ToolFormats.Names.Contains(text) ? text
        : throw new FormatException($"expected auto, or one of {string.Join(", ", ToolFormats.Names)}");

    private static string? ParseSalt(string text) =>
        text == None ? null
        : text.Length >= SaltCharactersMin ? text
        : throw new FormatException($"expected at least {SaltCharactersMin} characters, best random ones");

    private static ImportSource ParseSource(string text)
    {
        if (!text.Contains("://", StringComparison.Ordinal)) return new ImportSource.File(text);
        try
        {
            if (text.StartsWith("postgres", StringComparison.OrdinalIgnoreCase))
                return new ImportSource.Postgres((DatabaseUrl.Postgres)DatabaseUrl.Parse(text));
        }
        catch (FormatException exception)
        {
            throw new UsageException($"the source: {exception.Message}");
        }
        throw new UsageException("the source: expected a file, - or a postgres:// URL");
    }
}
