using System.Globalization;
using System.Text.Json;
using Tally.Grains.Rules;
using Tally.Silo.Storage;

namespace Tally.Silo.Webhooks;

/// <summary>The body of a webhook.</summary>
internal static class FiringPayload
{
    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'";

    /// <param name="id">Of the firing.</param>
    /// <param name="rule">Its name.</param>
    /// <param name="version">Of the rule.</param>
    /// <param name="cause">Null if the log has it no more: then what only it knows is left out.</param>
    /// <param name="now">When it is sent.</param>
    public static byte[] Create(string id, string rule, int version, string fingerprint, long sequence,
        DateTime occurred, FiringEvent? cause, DateTime now)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteString("type", "rule.fired");
            json.WriteString("timestamp", Text(now));
            json.WriteStartObject("data");
            json.WriteString("id", id);
            json.WriteString("rule", rule);
            json.WriteNumber("version", version);
            if (fingerprint != Silence.Fingerprint)
            {
                json.WriteString("fingerprint", fingerprint);
                json.WriteNumber("sequence", sequence);
            }
            json.WriteString("occurred", Text(occurred));
            if (cause is not null)
            {
                json.WriteString("product", cause.Product);
                json.WriteString("action", cause.Action);
                if (cause.Properties is not null)
                {
                    json.WritePropertyName("properties");
                    json.WriteRawValue(cause.Properties, skipInputValidation: true);
                }
                json.WriteString("eventId", cause.Id);
            }
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return bytes.ToArray();
    }

    private static string Text(DateTime time) => time.ToString(TimeFormat, CultureInfo.InvariantCulture);
}
