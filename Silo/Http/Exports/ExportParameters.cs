using System.Globalization;
using Tally.Contracts;
using Tally.Silo.Storage;
using Calendar = Tally.Grains.Calendar;

namespace Tally.Silo.Http.Exports;

/// <summary>What an export selects, and in which format.</summary>
internal sealed record ExportParameters(ExportSelection Selection, string Format)
{
    /// <returns>Why a parameter is refused, or null.</returns>
    public static Refusal? Parse(
        string? from, string? to, string? product, string? format, string? after, Calendar calendar,
        Limits limits, out ExportParameters? parameters)
    {
        parameters = null;
        var cursor = ExportCursor.Beginning;
        if (QueryValue.ParseTime("from", from, calendar, DateTime.MinValue, out var first) is { } badFrom)
            return badFrom;
        if (QueryValue.ParseTime("to", to, calendar, DateTime.MaxValue, out var end) is { } badTo) return badTo;
        if (first >= end) return Refusal.EmptyRange();
        if (QueryValue.CheckText("product", product, limits.ProductBytesMax) is { } badProduct) return badProduct;
        if (!ExportFormat.Names.Contains(format ??= ExportFormat.Ndjson))
            return Refusal.UnknownValue("format", "ndjson, csv or parquet");
        if (after is not null && !TryParse(after, out cursor)) return Refusal.InvalidCursor();

        (first, end) = (DateTime.SpecifyKind(first, DateTimeKind.Utc), DateTime.SpecifyKind(end, DateTimeKind.Utc));
        parameters = new(new(cursor, first, end, product), format);
        return null;
    }

    /// <summary>SEQUENCE:FINGERPRINT. The fingerprint comes last, since it may contain a colon.</summary>
    public static string ToText(ExportCursor cursor) =>
        string.Create(CultureInfo.InvariantCulture, $"{cursor.Sequence}:{cursor.Fingerprint}");

    private static bool TryParse(string text, out ExportCursor cursor)
    {
        cursor = default;
        var colon = text.IndexOf(':');
        if (colon < 0
            || !long.TryParse(text.AsSpan(0, colon), NumberStyles.None, CultureInfo.InvariantCulture, out var sequence))
            return false;
        cursor = new(text[(colon + 1)..], sequence);
        // The log may have fingerprints from a time with another limit.
        return EventFields.CheckText("after", cursor.Fingerprint, Limits.FingerprintBytesCeiling) is null;
    }
}
