namespace Tally.Contracts;

/// <summary>What is committed of one fingerprint, at one sequence.</summary>
/// <param name="Fingerprint">As its client wrote it.</param>
/// <param name="Total">Events recorded.</param>
/// <param name="Sequence">The newest event's; it changes with every event, so it is the view's ETag.</param>
/// <param name="FirstSeen">UTC: the earliest <see cref="Event.Occurred"/>.</param>
/// <param name="LastSeen">UTC: the latest <see cref="Event.Occurred"/>.</param>
/// <param name="Counts">One for each product and action seen, in the order of their first event.</param>
/// <param name="DaysActive">Days with events.</param>
/// <param name="Activity">The events of each of the newest of these days, newest first; at most
/// <see cref="Limits.ActivityDaysMax"/>.</param>
[GenerateSerializer, Immutable, Alias("tally.FingerprintView")]
public sealed record FingerprintView(
    [property: Id(0)] string Fingerprint,
    [property: Id(1)] long Total,
    [property: Id(2)] long Sequence,
    [property: Id(3)] DateTime FirstSeen,
    [property: Id(4)] DateTime LastSeen,
    [property: Id(5)] IReadOnlyList<CountView> Counts,
    [property: Id(6)] int DaysActive,
    [property: Id(7)] IReadOnlyList<DayView> Activity);

/// <summary>The events of a fingerprint on one day of <see cref="Event.Occurred"/>.</summary>
[GenerateSerializer, Immutable, Alias("tally.DayView")]
public readonly record struct DayView([property: Id(0)] DateOnly Day, [property: Id(1)] long Events);

/// <summary>The events of one product and action of a fingerprint. Times as in <see cref="FingerprintView"/>.</summary>
[GenerateSerializer, Immutable, Alias("tally.CountView")]
public sealed record CountView(
    [property: Id(0)] string Product,
    [property: Id(1)] string Action,
    [property: Id(2)] long Count,
    [property: Id(3)] DateTime FirstSeen,
    [property: Id(4)] DateTime LastSeen);
