namespace Tally.Silo.Webhooks;

/// <summary>What became of one try to send a webhook.</summary>
/// <param name="Status">Of the receiver's answer; null if there was none.</param>
/// <param name="Problem">Why it failed, in a few fixed words; null if it was delivered.</param>
/// <param name="RetryAfter">When the receiver wants the next try.</param>
/// <param name="Time">How long it took.</param>
internal sealed record WebhookOutcome(int? Status, string? Problem, TimeSpan? RetryAfter, TimeSpan Time)
{
    /// <summary>The receiver wants no more of the rule's firings.</summary>
    public bool IsGone => Status == StatusCodes.Status410Gone;

    public bool IsDelivered => Problem is null;
}
