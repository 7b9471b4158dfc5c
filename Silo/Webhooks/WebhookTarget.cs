using System.Text.Json;

namespace Tally.Silo.Webhooks;

/// <summary>Where a rule's firings go.</summary>
/// <param name="Url">Absolute; http or https.</param>
/// <param name="Ordered">Whether a firing waits for the earlier ones of its fingerprint.</param>
internal sealed record WebhookTarget(Uri Url, bool Ordered)
{
    /// <summary>What shares connections and turns.</summary>
    public string Host => $"{Url.Scheme}://{Url.IdnHost}:{Url.Port}";

    /// <summary>The webhook of a stored rule.</summary>
    /// <returns>Null if it has none.</returns>
    public static WebhookTarget? Parse(string definition)
    {
        using var rule = JsonDocument.Parse(definition);
        if (!rule.RootElement.TryGetProperty("webhook", out var webhook) || webhook.ValueKind != JsonValueKind.Object
            || !webhook.TryGetProperty("url", out var text) || text.ValueKind != JsonValueKind.String
            || !Uri.TryCreate(text.GetString(), UriKind.Absolute, out var url)
            || url is not { Scheme: "http" or "https" }) return null;
        var isOrdered = webhook.TryGetProperty("ordered", out var ordered) && ordered.ValueKind == JsonValueKind.True;
        return new(url, isOrdered);
    }
}
