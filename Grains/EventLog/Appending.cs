using System.Diagnostics;

namespace Tally.Grains.EventLog;

/// <summary>What became of a run: the events that one grain appends together.</summary>
public enum AppendOutcome
{
    /// <summary>All of it is committed and flushed.</summary>
    Recorded,
    /// <summary>The log's head is not where the grain thought: another activation has written. Nothing recorded.</summary>
    Fenced,
    /// <summary>Some of its events are old repeats, which the grain did not remember. Nothing recorded.</summary>
    HasRepeats,
    /// <summary>The queue is full. Nothing recorded.</summary>
    Overloaded,
    /// <summary>The database does not answer. Nothing recorded.</summary>
    Unavailable,
    /// <summary>Committed or not: only the log can tell.</summary>
    Unknown,
}

/// <param name="Outcome">What became of the run.</param>
/// <param name="Repeats">With <see cref="AppendOutcome.HasRepeats"/>, the log's own rows of the repeated ids.</param>
public sealed record AppendResult(AppendOutcome Outcome, IReadOnlyList<RecordedEvent> Repeats)
{
    public static readonly AppendResult Recorded = new(AppendOutcome.Recorded, []);
    public static readonly AppendResult Fenced = new(AppendOutcome.Fenced, []);
    public static readonly AppendResult Overloaded = new(AppendOutcome.Overloaded, []);
    public static readonly AppendResult Unavailable = new(AppendOutcome.Unavailable, []);
    public static readonly AppendResult Unknown = new(AppendOutcome.Unknown, []);
}

/// <summary>One run on its way through group commit.</summary>
internal sealed class PendingRun(IReadOnlyList<RecordedEvent> events, Activity? caller)
{
    private readonly TaskCompletionSource<AppendResult> done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IReadOnlyList<RecordedEvent> Events => events;
    public Activity? Caller => caller;
    public string Fingerprint => events[0].Fingerprint;
    public long FirstSequence => events[0].Sequence;
    public Task<AppendResult> Done => done.Task;
    public bool IsDone => done.Task.IsCompleted;

    public void Complete(AppendResult result) => done.TrySetResult(result);
}
