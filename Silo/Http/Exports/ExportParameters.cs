using System.Globalization;
using System.Text;
using Tally.Contracts;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Exports;

/// <summary>
/// What an export is asked for. The query is read from its own bytes, as forms are: the framework's reader replaces what is no
/// UTF-8, so that an export would begin behind another fingerprint than the one that was named.
/// </summary>
internal sealed record ExportParameters(ExportSelection Selection, string Format)
{
    private static readonly string[] Names = ["from", "to", "product", "format", "after"];

    /// <returns>Why there is no export, or null with the parameters.</returns>
    public static Refusal? Read(QueryString query, Limits limits, out ExportParameters? parameters)
    {
        parameters = null;
        var values = new Dictionary<string, string>();
        if (ReadNames(query, values) is { } unreadable) return unreadable;

        var (from, to, after) = (DateTime.MinValue, DateTime.MaxValue, ExportCursor.Beginning);
        if (values.TryGetValue("from", out var text) && !Timestamp.TryParseTimeOrDay(text, out from)) return Refusal.InvalidTime("from");
        if (values.TryGetValue("to", out text) && !Timestamp.TryParseTimeOrDay(text, out to)) return Refusal.InvalidTime("to");
        if (from >= to) return Refusal.EmptyRange();
        var product = values.GetValueOrDefault("product");
        if (product is not null && EventFields.CheckText("product", product, limits.ProductBytesMax) is { } refusal) return refusal;
        var format = values.GetValueOrDefault("format", ExportFormat.Ndjson);
        if (!ExportFormat.Names.Contains(format)) return Refusal.UnknownValue("format", "ndjson, csv or parquet");
        if (values.TryGetValue("after", out text) && !TryReadCursor(text, out after)) return Refusal.InvalidCursor();

        parameters = new(new(after, DateTime.SpecifyKind(from, DateTimeKind.Utc), DateTime.SpecifyKind(to, DateTimeKind.Utc), product), format);
        return null;
    }

    /// <summary>SEQUENCE:FINGERPRINT, as the two fields of a row have them: the fingerprint comes last, since it may hold a colon.</summary>
    public static string Write(ExportCursor cursor) => string.Create(CultureInfo.InvariantCulture, $"{cursor.Sequence}:{cursor.Fingerprint}");

    private static bool TryReadCursor(string text, out ExportCursor cursor)
    {
        cursor = default;
        var colon = text.IndexOf(':');
        if (colon < 0 || !long.TryParse(text.AsSpan(0, colon), NumberStyles.None, CultureInfo.InvariantCulture, out var sequence)) return false;
        cursor = new(text[(colon + 1)..], sequence);
        // The log may have fingerprints of a time when the limit was another one.
        return EventFields.CheckText("after", cursor.Fingerprint, Limits.FingerprintBytesCeiling) is null;
    }

    private static Refusal? ReadNames(QueryString query, Dictionary<string, string> values)
    {
        foreach (var pair in (query.Value ?? "").TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = pair.IndexOf('=');
            var (rawName, rawValue) = equals < 0 ? (pair, "") : (pair[..equals], pair[(equals + 1)..]);
            if (!FormFields.TryDecode(Encoding.UTF8.GetBytes(rawName), out var name) || !FormFields.TryDecode(Encoding.UTF8.GetBytes(rawValue), out var value))
                return Refusal.MalformedQuery();
            if (Names.Contains(name) && !values.TryAdd(name, value)) return Refusal.DuplicateField(name);
        }
        return null;
    }
}
