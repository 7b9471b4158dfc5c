using Tally.Silo.Storage;

namespace Tally.Silo.Webhooks;

/// <summary>What signs the webhooks of each rule.</summary>
internal sealed class RuleSecrets(SqlStorage storage, TimeProvider clock)
{
    // A header with more signatures would only be longer: whoever changes secrets so often has lost the oldest.
    private const int KeptMax = 5;

    private static readonly TimeSpan ReplacedLifetime = TimeSpan.FromHours(24);

    private DateTime Now => DatabaseTime.From(clock.GetUtcNow());

    /// <summary>Those that sign now, the newest first.</summary>
    public Task<IReadOnlyList<byte[]>> Read(string rule) => storage.ReadRuleSecrets(rule, Now, KeptMax);

    /// <summary>Makes a rule's first secret.</summary>
    /// <returns>Its text, which is told only now; null if the rule has one.</returns>
    public async Task<string?> AddFirst(string rule)
    {
        var secret = WebhookSecret.New();
        return await storage.AddFirstSecret(rule, secret, Now) ? WebhookSecret.Text(secret) : null;
    }

    /// <summary>Makes a new secret. The one before signs beside it for a day.</summary>
    /// <returns>Its text, which is told only now.</returns>
    public async Task<string> Replace(string rule)
    {
        var secret = WebhookSecret.New();
        await storage.ReplaceSecret(rule, secret, Now, Now + ReplacedLifetime, KeptMax);
        return WebhookSecret.Text(secret);
    }

    /// <summary>Of a rule that was removed.</summary>
    public Task Forget(string rule) => storage.DeleteSecrets(rule);
}
