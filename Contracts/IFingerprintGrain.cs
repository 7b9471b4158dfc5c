namespace Tally.Contracts;

/// <summary>
/// One fingerprint: the only writer of its events. It knows their counts. Its key is made by
/// <see cref="FingerprintKey"/>.
/// </summary>
[Alias("tally.IFingerprintGrain")]
public interface IFingerprintGrain : IGrainWithStringKey
{
    /// <summary>
    /// Records one event. Completes when the event is committed and counted, or surely not recorded, or, as
    /// <see cref="RecordOutcome.Unknown"/>, when only the log can tell: then the same event may be sent again.
    /// </summary>
    [Alias("Record")]
    ValueTask<RecordResult> Record(Event @event);

    /// <summary>
    /// Records several events, each as <see cref="Record"/> would: what becomes of one says nothing of another. An id
    /// that occurs twice among them is a repeat.
    /// </summary>
    /// <returns>One result for each event, in their order.</returns>
    [Alias("RecordAll")]
    ValueTask<RecordResult[]> RecordAll(Event[] events);

    /// <summary>What is committed of this fingerprint. Asking for an unknown one leaves nothing behind.</summary>
    [Alias("View")]
    ValueTask<ViewResult> View();

    /// <summary>
    /// Removes everything that is kept of this fingerprint, in one transaction, after the events that are being
    /// committed. Later calls go to the next activation, which knows nothing of the past and begins a new history.
    /// </summary>
    /// <param name="suppress">Also refuse its events from now on.</param>
    [Alias("Erase")]
    ValueTask<EraseResult> Erase(bool suppress);

    /// <summary>Erases it, but only if its last event happened before a time, and none is on its way.</summary>
    /// <param name="before">UTC.</param>
    [Alias("Forget")]
    ValueTask<EraseResult> Forget(DateTime before);
}

/// <summary>What became of one event.</summary>
public enum RecordOutcome : byte
{
    /// <summary>Committed and counted just now.</summary>
    Recorded,
    /// <summary>Its id was recorded before, with the same content; the sequence is the first one's.</summary>
    Duplicate,
    /// <summary>Its id was recorded before, with other content. Not recorded.</summary>
    IdConflict,
    /// <summary>It would begin a (product, action) pair beyond the fingerprint's limit. Not recorded.</summary>
    TooManyCounters,
    /// <summary>A queue is full. Not recorded; later may succeed.</summary>
    Overloaded,
    /// <summary>The database does not answer. Not recorded; later may succeed.</summary>
    Unavailable,
    /// <summary>
    /// This activation had lost its place to another. Not recorded; sending it again finds the right one.
    /// </summary>
    SteppedDown,
    /// <summary>The connection broke during the commit. Sending it again finds out.</summary>
    Unknown,
    /// <summary>The fingerprint was erased with the wish that nothing of it be recorded again. Not recorded.</summary>
    Suppressed,
}

/// <param name="Outcome">What became of the event.</param>
/// <param name="Sequence">The event's place in its fingerprint's history, from 1; 0 where it was not recorded.</param>
[GenerateSerializer, Immutable, Alias("tally.RecordResult")]
public readonly record struct RecordResult(
    [property: Id(0)] RecordOutcome Outcome,
    [property: Id(1)] long Sequence);

/// <summary>What a question about a fingerprint came to.</summary>
public enum ViewOutcome : byte
{
    /// <summary>It has events; here they are.</summary>
    Known,
    /// <summary>It has no event.</summary>
    Unknown,
    /// <summary>The database does not answer.</summary>
    Unavailable,
    /// <summary>This activation had lost its place to another; asking again finds the right one.</summary>
    SteppedDown,
}

/// <param name="Outcome">What the question came to.</param>
/// <param name="View">With <see cref="ViewOutcome.Known"/> alone.</param>
[GenerateSerializer, Immutable, Alias("tally.ViewResult")]
public readonly record struct ViewResult(
    [property: Id(0)] ViewOutcome Outcome,
    [property: Id(1)] FingerprintView? View);
