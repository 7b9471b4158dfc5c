using System.Globalization;
using Tally.Contracts;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Exports;

/// <summary>What an export is asked for.</summary>
internal sealed record ExportParameters(ExportSelection Selection, string Format)
{
    /// <returns>Why there is no export, or null with the parameters.</returns>
    public static Refusal? Read(IQueryCollection query, Limits limits, out ExportParameters? parameters)
    {
        parameters = null;
        var (from, to, after) = (DateTime.MinValue, DateTime.MaxValue, ExportCursor.Beginning);
        if (query.TryGetValue("from", out var text) && !Timestamp.TryParseTimeOrDay(text!, out from)) return Refusal.InvalidTime("from");
        if (query.TryGetValue("to", out text) && !Timestamp.TryParseTimeOrDay(text!, out to)) return Refusal.InvalidTime("to");
        if (from >= to) return Refusal.EmptyRange();
        string? product = query["product"];
        if (product is not null && EventFields.CheckText("product", product, limits.ProductBytesMax) is { } refusal) return refusal;
        var format = query.TryGetValue("format", out text) ? text.ToString() : ExportFormat.Ndjson;
        if (!ExportFormat.Names.Contains(format)) return Refusal.UnknownValue("format", "ndjson, csv or parquet");
        if (query.TryGetValue("after", out text) && !TryReadCursor(text!, out after)) return Refusal.InvalidCursor();

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
}
