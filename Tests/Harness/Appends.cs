using Tally.Contracts;
using Tally.Grains;
using Tally.Grains.EventLog;

namespace Tally.Tests.Harness;

/// <summary>Appends runs as a fingerprint's grain does.</summary>
internal static class Appends
{
    /// <summary>Completes with the run's result.</summary>
    /// <param name="removalEpoch">The removal epoch that the run's writer knows.</param>
    public static Task<AppendResult> Append(this GroupCommit log, IReadOnlyList<DecidedEvent> events,
        long removalEpoch = 0)
    {
        var owner = new Owner();
        Assert.True(log.TryAppend(new(owner, events, removalEpoch, null)), "The queue is full.");
        return owner.Done;
    }

    public static bool IsFullFor(this GroupCommit log, IReadOnlyList<DecidedEvent> events) =>
        !log.TryAppend(new(new Owner(), events, 0, null));

    private sealed class Owner : IRunOwner
    {
        private readonly TaskCompletionSource<AppendResult> done =
            new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<AppendResult> Done => done.Task;

        public void Settle(Run run, AppendResult result, Answers<RecordResult> answers) => done.SetResult(result);
    }
}
