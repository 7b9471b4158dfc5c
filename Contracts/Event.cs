namespace Tally.Contracts;

/// <summary>
/// One validated event of one fingerprint, on its way to that fingerprint's grain. Its id is fixed, so sending it
/// again is always safe.
/// </summary>
/// <param name="Id">Names the event within its fingerprint: <see cref="EventIds"/> says how it is made.</param>
/// <param name="Action">1 to <see cref="Limits.ActionBytesMax"/> bytes of UTF-8, no control characters.</param>
/// <param name="Product">1 to <see cref="Limits.ProductBytesMax"/> bytes of UTF-8, no control characters.</param>
/// <param name="Created">UTC, whole microseconds: when the front end accepted the event.</param>
/// <param name="Occurred">UTC, whole microseconds: the client's time where it gave one, else
/// <paramref name="Created"/>.</param>
/// <param name="Properties">A JSON object, or null.</param>
[GenerateSerializer, Immutable, Alias("tally.event")]
public sealed record Event(
    [property: Id(0)] Guid Id,
    [property: Id(1)] string Action,
    [property: Id(2)] string Product,
    [property: Id(3)] DateTime Created,
    [property: Id(4)] DateTime Occurred,
    [property: Id(5)] string? Properties)
{
    /// <summary>
    /// Whether a repeat of this event's id says the same thing. Times do not count: a client that retries without
    /// keeping its clock reading still means the first one.
    /// </summary>
    public bool HasContentOf(Event other) =>
        Action == other.Action && Product == other.Product && EventProperties.AreEqual(Properties, other.Properties);

    /// <summary>
    /// What it counts in a queue that is bounded by events: 1, and 1 more for each KiB of properties. So a queue's
    /// memory is bounded, whatever it holds.
    /// </summary>
    public int Weight => 1 + (Properties?.Length ?? 0) / 1_024;
}
