using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Xml;

namespace Tally.Grains.Rules;

/// <summary>Writes a rule in the one way in which it is kept, so that equal rules are equal texts.</summary>
public static class RuleJson
{
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Reads what <see cref="Write(RuleDefinition)"/> wrote.</summary>
    public static RuleDefinition Parse(string text)
    {
        using var json = JsonDocument.Parse(text);
        return RuleReader.Read(json.RootElement, limits: null, out var definition) is null ? definition!
            : throw new FormatException("A kept rule cannot be read.");
    }

    public static string Write(RuleDefinition rule)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Plain)) Write(json, rule);
        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    private static void Write(Utf8JsonWriter json, RuleDefinition rule)
    {
        json.WriteStartObject();
        json.WriteStartObject("when");
        Write(json, rule.Event);
        WriteCondition(json, rule);
        json.WriteEndObject();
        json.WriteString("how", RuleReader.NameOf(rule.How));
        if (rule.Webhook is { } webhook)
        {
            json.WriteStartObject("webhook");
            json.WriteString("url", webhook.Url);
            json.WriteBoolean("ordered", webhook.Ordered);
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    private static void WriteCondition(Utf8JsonWriter json, RuleDefinition rule)
    {
        if (rule.Kind == RuleKind.First)
        {
            json.WriteString("count", "first");
            return;
        }
        json.WriteStartObject(rule.Kind switch
        {
            RuleKind.Then => "then",
            RuleKind.Without => "without",
            RuleKind.Silence => "silence",
            _ => "count",
        });
        if (rule.Kind == RuleKind.Every) json.WriteNumber("every", rule.Number);
        if (rule.Kind == RuleKind.Times) json.WriteNumber("times", rule.Number);
        if (rule.Other is { } other) Write(json, other);
        if (rule.Kind != RuleKind.Every) json.WriteString("within", XmlConvert.ToString(rule.Within));
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, EventPattern pattern)
    {
        json.WriteStartObject("event");
        json.WriteString("product", pattern.Product);
        json.WriteString("action", pattern.Action);
        if (pattern.Where.Count > 0)
        {
            json.WriteStartArray("where");
            foreach (var filter in pattern.Where)
            {
                json.WriteStartObject();
                json.WriteString("property", filter.Property);
                json.WritePropertyName("is");
                filter.Is.WriteTo(json);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }
}
