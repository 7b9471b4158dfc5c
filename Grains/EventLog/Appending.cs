using System.Diagnostics;
using Tally.Contracts;

namespace Tally.Grains.EventLog;

/// <summary>What became of a run: the events that one grain appends together.</summary>
public enum AppendOutcome
{
    /// <summary>All of it is committed and flushed.</summary>
    Recorded,
    /// <summary>
    /// The log's head is not where the fingerprint thought: somebody else has written. Nothing recorded.
    /// </summary>
    Fenced,
    /// <summary>Some of its events are old repeats, which the grain did not remember. Nothing recorded.</summary>
    HasRepeats,
    /// <summary>The database does not answer. Nothing recorded.</summary>
    Unavailable,
    /// <summary>Committed or not: only the log can tell.</summary>
    Unknown,
}

/// <param name="Outcome">What became of the run.</param>
/// <param name="Repeats">With <see cref="AppendOutcome.HasRepeats"/>, the log's own rows of the repeated ids.</param>
/// <param name="RemovalEpoch">With <see cref="AppendOutcome.Recorded"/>, those before it:
/// <see cref="RunStart.RemovalEpoch"/> of the next run.</param>
/// <param name="Proof">Of what the silo owned when this was known; null where it had none.</param>
public sealed record AppendResult(
    AppendOutcome Outcome, IReadOnlyList<RecordedEvent> Repeats, long RemovalEpoch = 0, long? Proof = null)
{
    public static readonly AppendResult Fenced = new(AppendOutcome.Fenced, []);
    public static readonly AppendResult Unavailable = new(AppendOutcome.Unavailable, []);
    public static readonly AppendResult Unknown = new(AppendOutcome.Unknown, []);
}

/// <summary>Where a run begins: what it follows has to be in the log.</summary>
/// <param name="Fingerprint">Whose run it is.</param>
/// <param name="Follows">The sequence before its first; 0 where that is the fingerprint's first.</param>
/// <param name="RemovalEpoch">
/// Erasures and prunings before the moment as of which its writer knows that the log ends there. Nothing can be missing
/// where there was none since.
/// </param>
/// <param name="IsUnread">
/// Its writer has not read the log, which cannot have the fingerprint. So it does not know of a suppression either.
/// </param>
public readonly record struct RunStart(string Fingerprint, long Follows, long RemovalEpoch, bool IsUnread = false);

/// <summary>Whose runs are appended.</summary>
internal interface IRunOwner
{
    /// <summary>
    /// What became of a run, which is durable now. Called once for each run, by the commit, which waits: it must not
    /// wait itself, and not throw.
    /// </summary>
    void Settle(Run run, AppendResult result, Answers<RecordResult> answers);
}

/// <summary>
/// Events that are appended together: consecutive sequences of one fingerprint, the first one head + 1.
/// </summary>
/// <param name="owner">Has one run under way at a time.</param>
/// <param name="events">At least one.</param>
/// <param name="removalEpoch">See <see cref="RunStart"/>.</param>
/// <param name="caller">The trace that it is in, where it is traced.</param>
/// <param name="isUnread">See <see cref="RunStart"/>.</param>
internal sealed class Run(
    IRunOwner owner, IReadOnlyList<DecidedEvent> events, long removalEpoch, Activity? caller,
    bool isUnread = false)
{
    public IReadOnlyList<DecidedEvent> Events => events;
    public Activity? Caller => caller;

    /// <summary>Of its events together.</summary>
    public int Weight { get; } = events.Sum(recorded => recorded.Event.Weight);

    public string Fingerprint => events[0].Fingerprint;
    public RunStart Start => new(Fingerprint, events[0].Sequence - 1, removalEpoch, isUnread);
    public bool IsSettled { get; private set; }

    public void Settle(AppendResult result, Answers<RecordResult> answers)
    {
        IsSettled = true;
        owner.Settle(this, result, answers);
    }
}
