using Orleans.Services;
using Tally.Contracts;

namespace Tally.Grains.Peers;

/// <summary>
/// A silo as the others see it: it takes what their clients send and ask about the fingerprints that it owns, in
/// groups.
/// </summary>
[Alias("tally.IPeer")]
public interface IPeer : IGrainService
{
    /// <summary>
    /// Records the events of several fingerprints, as <see cref="IFingerprintGrain.RecordAll"/> would those of one.
    /// What is not known in time is <see cref="RecordOutcome.Unknown"/>: it holds up nothing else.
    /// </summary>
    /// <returns>One result for each event, in their order.</returns>
    [Alias("Record")]
    ValueTask<RecordResult[]> Record(PeerEvents[] events);

    /// <summary>
    /// What is committed of several fingerprints. What is not known in time is <see cref="ViewOutcome.SteppedDown"/>.
    /// </summary>
    /// <returns>One result for each, in their order.</returns>
    [Alias("View")]
    ValueTask<ViewResult[]> View(PeerQuestion[] questions);

    /// <summary>What it says of itself.</summary>
    [Alias("Look")]
    ValueTask<SiloFigures> Look();
}

/// <summary>What goes to a silo in a group.</summary>
public interface IPeerQuestion
{
    /// <summary>The trace that it is in, as W3C's <c>traceparent</c>; null where none is.</summary>
    string? Trace { get; }
}

/// <param name="Fingerprint">Whose events they are.</param>
/// <param name="Events">At least one. They are recorded together, in this order.</param>
/// <param name="Trace">As in <see cref="IPeerQuestion"/>.</param>
[GenerateSerializer, Immutable, Alias("tally.PeerEvents")]
public readonly record struct PeerEvents(
    [property: Id(0)] string Fingerprint,
    [property: Id(1)] Event[] Events,
    [property: Id(2)] string? Trace) : IPeerQuestion;

/// <param name="Fingerprint">Of whom the view is asked.</param>
/// <param name="Trace">As in <see cref="IPeerQuestion"/>.</param>
[GenerateSerializer, Immutable, Alias("tally.PeerQuestion")]
public readonly record struct PeerQuestion(
    [property: Id(0)] string Fingerprint,
    [property: Id(1)] string? Trace) : IPeerQuestion;
