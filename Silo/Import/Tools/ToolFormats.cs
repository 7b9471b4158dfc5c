using System.Text.Json;
using Tally.Silo.Http.Trackers;
using Tally.Silo.Storage;

namespace Tally.Silo.Import.Tools;

/// <summary>The tools whose exports are text, by the names that <c>-format</c> takes.</summary>
internal static class ToolFormats
{
    /// <summary>Tally's own files, and those that are like them.</summary>
    public const string Tally = "tally";

    public const string AccessLog = "accesslog", GoatCounter = "goatcounter", PostHog = "posthog", Umami = "umami",
        Ga4 = "ga4", Matomo = "matomo", Plausible = "plausible";

    /// <summary>Why <c>-product</c> is refused for Tally's own.</summary>
    public const string NamesItsProducts = "names its products itself: -product is for other tools' exports";

    public static IReadOnlyList<string> Names { get; } =
        [Tally, AccessLog, GoatCounter, PostHog, Umami, Ga4, Matomo, Plausible];

    /// <summary>Why a file is refused that begins with so long a line. Of the tools', only Matomo's may.</summary>
    public static string FirstTooLong { get; } =
        $"the first line is longer than {RecordReader.RecordBytesMax} bytes: if it is a visit of Matomo's, say "
        + "-format=matomo";

    /// <param name="first">The first record that is not blank.</param>
    /// <param name="records">The reader of those after it.</param>
    /// <returns>Null for one of Tally's own.</returns>
    /// <exception cref="StartupException">The file is not in the format, or cannot be imported.</exception>
    public static ToolFormat? Find(ToolSettings settings, Record first, RecordReader records)
    {
        var name = settings.Format ?? Recognize(first);
        if (name is null && (settings.Product ?? settings.Salt) is not null)
            throw new StartupException(
                first.Text is null ? FirstTooLong : "the format is not recognised: say -format=NAME");
        if (name is null or Tally)
            return settings.Product is null ? null : throw new StartupException($"the file {NamesItsProducts}");
        return name switch
        {
            AccessLog => new AccessLog(settings),
            GoatCounter => new GoatCounterExport(settings, new(Text(), records)),
            PostHog => IsJson(Text()) ? new PostHogEvents(settings) : new PostHogTable(settings, new(Text(), records)),
            Umami => new UmamiExport(settings, new(Text(), records)),
            Ga4 => new Ga4Events(settings),
            Matomo => new MatomoVisits(settings),
            _ => throw new StartupException(PlausibleExport.Refusal),
        };

        ReadOnlySpan<byte> Text() => first.Text is { } text ? text.Span
            : throw new StartupException($"the first line is longer than {RecordReader.RecordBytesMax} bytes");
    }

    /// <summary>Whether it begins as a JSON object.</summary>
    public static bool IsJson(ReadOnlySpan<byte> text) => text.TrimStart(" \t"u8) is [(byte)'{', ..];

    private static string? Recognize(Record first)
    {
        if (first.Text is not { } text || CsvTable.Decode(text.Span) is not { } line) return null;
        if (IsJson(text.Span))
            return TrackerJson.Parse(text.Span, out var json) is not null ? null
                : HasAny(json, "product", "action") ? Tally
                : HasAll(json, "event_name", "event_params", "event_timestamp") ? Ga4
                : HasAll(json, "uuid", "event", "distinct_id", "properties") ? PostHog
                : HasAll(json, "idSite", "actionDetails") ? Matomo
                : null;
        if (Tools.AccessLog.IsLine(line)) return AccessLog;
        var names = CsvTable.NamesIn(line);
        return names.Contains("product") || names.Contains("action") ? Tally
            : GoatCounterExport.IsHeader(names) ? GoatCounter
            : UmamiExport.IsHeader(names) ? Umami
            : PostHogTable.IsHeader(names) ? PostHog
            : PlausibleExport.IsHeader(names) ? Plausible
            : null;
    }

    private static bool HasAll(JsonElement json, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
            if (json.Member(name).ValueKind == JsonValueKind.Undefined) return false;
        return true;
    }

    private static bool HasAny(JsonElement json, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
            if (json.Member(name).ValueKind != JsonValueKind.Undefined) return true;
        return false;
    }
}
