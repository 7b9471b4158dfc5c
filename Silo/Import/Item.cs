using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Tally.Silo.Import;

/// <summary>An event as its source has it, ready for the service, which checks it.</summary>
/// <param name="Line">Its line, or its row, in the source.</param>
/// <param name="Json">One object, with an id; null where there is a problem.</param>
/// <param name="Problem">Why the source's text is no event.</param>
internal sealed record Item(long Line, byte[]? Json, string? Problem)
{
    internal static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    // What it writes into a CSV file; without a zone it means UTC here.
    private static readonly string[] PostgresTimes = ["yyyy-MM-dd HH:mm:ss.FFFFFFFzz", "yyyy-MM-dd HH:mm:ss.FFFFFFFzzz", "yyyy-MM-dd HH:mm:ss.FFFFFFF"];

    public static Item Malformed(long line, string problem) => new(line, null, problem);

    /// <summary>An event of a JSON object.</summary>
    /// <param name="line">Its line.</param>
    /// <param name="json">UTF-8.</param>
    /// <param name="id">What to call it where it has no id of its own.</param>
    public static Item OfJson(long line, ReadOnlySpan<byte> json, string id)
    {
        try
        {
            return JsonNode.Parse(json, documentOptions: Strict) is JsonObject fields
                ? OfFields(line, fields, id) : Malformed(line, "This is no JSON object.");
        }
        // The second: a \u escape that is half a surrogate pair. The third: a field that is given twice.
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or ArgumentException)
        {
            return Malformed(line, "This is no JSON object, or has a field twice.");
        }
    }

    /// <summary>An event of named fields. The time in <c>created</c>, as the service that Tally replaces has it, is its time.</summary>
    public static Item OfFields(long line, JsonObject fields, string id)
    {
        fields["id"] ??= id;
        if (fields["timestamp"] is null && fields["created"] is { } created)
        {
            fields.Remove("created");
            fields["timestamp"] = AsRfc3339(created);
        }
        return new(line, JsonSerializer.SerializeToUtf8Bytes(fields, ImportJson.Default.JsonObject), null);
    }

    private static JsonNode AsRfc3339(JsonNode created) =>
        created is JsonValue value && value.TryGetValue<string>(out var text)
        && DateTimeOffset.TryParseExact(text, PostgresTimes, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time.UtcDateTime : created;
}

/// <summary>
/// Names what has no id by everything up to and including it: the same file counts once, however it is called or
/// compressed, and one that has grown at its end counts what is new.
/// </summary>
internal sealed class PrefixIds : IDisposable
{
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public string Next(ReadOnlySpan<byte> text)
    {
        hash.AppendData(text);
        hash.AppendData("\n"u8);
        return Convert.ToHexStringLower(hash.GetCurrentHash());
    }

    public void Dispose() => hash.Dispose();
}
