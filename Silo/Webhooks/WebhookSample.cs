using System.Security.Cryptography;
using Tally.Silo.Storage;

namespace Tally.Silo.Webhooks;

/// <summary>Sends a sample to a rule's receiver, signed and guarded as its firings are.</summary>
internal sealed class WebhookSample(
    SqlStorage storage, WebhookSender sender, RuleSecrets secrets, TimeProvider clock)
{
    private const string Prefix = "fir_test_";
    private const int IdBytes = 12;

    /// <param name="rule">Its name.</param>
    /// <returns>Its id, and what became of it; null if no rule of this name has a webhook and a secret.</returns>
    public async Task<(string Id, WebhookOutcome Outcome)?> Send(string rule, CancellationToken cancellation)
    {
        if (await storage.ReadTarget(rule) is not { } inForce
            || WebhookTarget.Parse(inForce.Definition) is not { } target
            || await secrets.Read(rule) is not { Count: > 0 } keys) return null;
        var id = Prefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(IdBytes));
        var now = clock.GetUtcNow().UtcDateTime;
        var cause = new FiringEvent(Guid.CreateVersion7(), "test", "test", """{"test":true}""");
        var body = FiringPayload.Create(id, rule, inForce.Version, "test", 0, now, cause, now);
        return (id, await sender.Send(target.Url, id, body, keys, cancellation));
    }
}
