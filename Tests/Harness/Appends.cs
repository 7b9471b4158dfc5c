using Tally.Grains;
using Tally.Grains.EventLog;

namespace Tally.Tests.Harness;

/// <summary>Appends runs as a grain does.</summary>
internal static class Appends
{
    /// <summary>Completes with what becomes of the run, whose writer knows a removal epoch.</summary>
    public static Task<AppendResult> Append(this GroupCommit log, IReadOnlyList<RecordedEvent> events, long removalEpoch = 0)
    {
        var run = new AwaitedRun(events, removalEpoch);
        Assert.True(log.TryAppend(run), "The queue is full.");
        return run.Done;
    }

    public static bool IsFullFor(this GroupCommit log, IReadOnlyList<RecordedEvent> events) => !log.TryAppend(new AwaitedRun(events, 0));

    private sealed class AwaitedRun(IReadOnlyList<RecordedEvent> events, long removalEpoch) : Run(events, removalEpoch, null)
    {
        private readonly TaskCompletionSource<AppendResult> done = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<AppendResult> Done => done.Task;

        protected override void Settled(AppendResult result, Answers answers) => done.SetResult(result);
    }
}
