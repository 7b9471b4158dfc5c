using System.Text.Json;

namespace Tally.Silo.Import;

/// <summary>The events of NDJSON: one object a line. What is no part of an event is left out, and not judged.</summary>
/// <param name="times">Where the events have their times.</param>
internal sealed class JsonFields(TimeChoice times)
{
    /// <summary>Deeper than anything that the service takes: it is the one to judge.</summary>
    public const int DepthMax = 1_000;

    private static readonly JsonDocumentOptions Options = new() { MaxDepth = DepthMax };

    /// <param name="record">Its line.</param>
    /// <param name="json">UTF-8.</param>
    /// <param name="id">Names it where it has no id of its own.</param>
    public Item Read(Record record, ReadOnlySpan<byte> json, Func<string> id)
    {
        try
        {
            var parsed = JsonElement.Parse(json, Options);
            if (parsed.ValueKind != JsonValueKind.Object) return Item.Malformed(record.Line, "This is no JSON object.");
            var fields = new List<Field>();
            foreach (var property in parsed.EnumerateObject())
            {
                if (NameOf(property) is not { } written || FieldName.Of(written, times.Name) is not { } name) continue;
                var value = property.Value.GetRawText();
                if (value is not ("null" or "\"\"")) fields.Add(new(name, value));
            }
            return Item.Of(record.Line, fields, id);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException) // or half a surrogate pair, in the time
        {
            return Item.Malformed(record.Line, "This is no JSON object.");
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
            return null; // half a surrogate pair: no name of a field has that
        }
    }
}
