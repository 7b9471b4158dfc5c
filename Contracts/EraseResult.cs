namespace Tally.Contracts;

/// <summary>What an erasure came to.</summary>
public enum EraseOutcome : byte
{
    /// <summary>Nothing of it is kept any more; that is so, too, where nothing was kept before.</summary>
    Erased,
    /// <summary>The database does not answer. Nothing was removed; later may succeed.</summary>
    Unavailable,
    /// <summary>
    /// This activation had lost its place to another. Nothing was removed; asking again finds the right one.
    /// </summary>
    SteppedDown,
    /// <summary>The connection broke during the commit. Erasing again makes sure.</summary>
    Unknown,
    /// <summary>It has done something since, so nothing was removed.</summary>
    Kept,
}

/// <param name="Outcome">What the erasure came to.</param>
/// <param name="Removed">With <see cref="EraseOutcome.Erased"/> alone.</param>
[GenerateSerializer, Immutable, Alias("tally.EraseResult")]
public readonly record struct EraseResult(
    [property: Id(0)] EraseOutcome Outcome,
    [property: Id(1)] Removed? Removed);

/// <summary>What an erasure has removed: rows that are gone, each with all that it held.</summary>
/// <param name="Events">Of the log, with their ids.</param>
/// <param name="Snapshots">Of what they add up to.</param>
/// <param name="Visits">Of its days with a product.</param>
/// <param name="Suppressed">Its events are refused from now on, by this wish or by an earlier one.</param>
[GenerateSerializer, Immutable, Alias("tally.Removed")]
public sealed record Removed(
    [property: Id(0)] long Events,
    [property: Id(1)] long Snapshots,
    [property: Id(2)] long Visits,
    [property: Id(3)] bool Suppressed);
