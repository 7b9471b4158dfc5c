namespace Tally.Contracts;

/// <summary>An event's place in its fingerprint's history, and its id: after an erasure the same place is another event's.</summary>
/// <param name="Sequence">0 before the first event.</param>
/// <param name="Id">Empty where it is not known.</param>
[GenerateSerializer, Immutable, Alias("tally.HistoryPosition")]
public readonly record struct HistoryPosition([property: Id(0)] long Sequence, [property: Id(1)] Guid Id)
{
    /// <summary>Whether both may be the same event.</summary>
    public bool Agrees(HistoryPosition other) =>
        Sequence == other.Sequence && (Id == other.Id || Id == Guid.Empty || other.Id == Guid.Empty);
}

/// <summary>How far a fingerprint's history goes.</summary>
/// <param name="Outcome">What the question came to.</param>
/// <param name="Head">With <see cref="ViewOutcome.Known"/>, the newest event; with <see cref="ViewOutcome.Unknown"/>, sequence 0.</param>
/// <param name="Events">
/// Those right after the position that was asked about, where the grain has them at hand: no sequence between them is missing,
/// though more may have come since. Null where the log has to be read.
/// </param>
[GenerateSerializer, Immutable, Alias("tally.NewsResult")]
public readonly record struct NewsResult(
    [property: Id(0)] ViewOutcome Outcome,
    [property: Id(1)] HistoryPosition Head,
    [property: Id(2)] Event[]? Events);
