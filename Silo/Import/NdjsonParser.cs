using System.Text.Json;

namespace Tally.Silo.Import;

/// <summary>Parses NDJSON: one object a line. Members that no event has are ignored.</summary>
internal sealed class NdjsonParser(TimeChoice times)
{
    /// <summary>Deeper than the service takes: the service is the one to refuse.</summary>
    public const int DepthMax = 1_000;

    private static readonly JsonDocumentOptions Options = new() { MaxDepth = DepthMax };

    /// <param name="id">Makes an id for an event that has none.</param>
    public Item Parse(Record record, ReadOnlySpan<byte> json, Func<string> id)
    {
        try
        {
            var parsed = JsonElement.Parse(json, Options);
            if (parsed.ValueKind != JsonValueKind.Object)
                return Item.Malformed(record.Line, "This is not a JSON object.");
            var fields = new List<Field>();
            foreach (var property in parsed.EnumerateObject())
            {
                if (NameOf(property) is not { } written || FieldName.Match(written, times.Name) is not { } name)
                    continue;
                var value = property.Value.GetRawText();
                if (value is not ("null" or "\"\"")) fields.Add(new(name, value));
            }
            return Item.Create(record.Line, fields, id);
        }
        // half a surrogate pair
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return Item.Malformed(record.Line, "This is not a JSON object.");
        }
    }

    private static string? NameOf(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException)
        {
            return null; // half a surrogate pair: not the name of any field
        }
    }
}
