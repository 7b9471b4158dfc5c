namespace Tally.Client;

/// <summary>
/// An event to be sent. Tally checks the texts; <see cref="TallyOptions.Refused"/> is told what it refuses.
/// </summary>
/// <param name="Action">What was done: 1 to 256 bytes of UTF-8, no control characters.</param>
/// <param name="Fingerprint">
/// By whom: any name for one visitor, device or caller, within the same limits. Empty leaves it to Tally, if that runs
/// with <c>-fingerprints=server</c>.
/// </param>
public sealed record TallyEvent(string Action, string Fingerprint)
{
    /// <summary>To what; null is <see cref="TallyOptions.Product"/>. The same limits.</summary>
    public string? Product { get; init; }

    /// <summary>
    /// Names the event among its fingerprint's: 1 to 128 characters. Events of one id count once, also from several
    /// processes. Null gives it a new one (a UUID), under which it is sent as often as needed.
    /// </summary>
    public string? Id { get; init; }

    /// <summary>
    /// When it happened; null is now. One that is more than 30 days old or 5 minutes ahead when it arrives counts when
    /// it arrives, and its property <c>$timestamp</c> keeps this time.
    /// </summary>
    public DateTimeOffset? Timestamp { get; init; }

    /// <summary>
    /// What is to be kept with it: a dictionary, an anonymous or other object, or JSON. It becomes a JSON object of at
    /// most 32 KiB, written before Track returns, so later changes of the object are not seen.
    /// </summary>
    public object? Properties { get; init; }
}
