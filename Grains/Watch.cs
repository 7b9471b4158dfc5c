using Microsoft.Extensions.Hosting;
using Tally.Contracts;
using Tally.Grains.EventLog;

namespace Tally.Grains;

/// <summary>
/// Those who wait for a fingerprint's next run. All wait for the same one, since whoever is behind is answered at once. Told by
/// the grain; ended by whoever needs it gone, on any thread.
/// </summary>
internal sealed class Watch
{
    private readonly Lock gate = new();
    private TaskCompletionSource<IReadOnlyList<RecordedEvent>?>? next;
    private bool ended;

    /// <summary>Changed by the grain's own turns alone.</summary>
    public int Waiting { get; set; }

    /// <returns>The next run that is committed; null where the wait was ended.</returns>
    public Task<IReadOnlyList<RecordedEvent>?> Next()
    {
        lock (gate)
        {
            if (ended) return Task.FromResult<IReadOnlyList<RecordedEvent>?>(null);
            return (next ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    public void Tell(IReadOnlyList<RecordedEvent> run) => Complete(run, forGood: false);

    /// <summary>Nobody waits here any more: the grain's requests must come to their end.</summary>
    public void End() => Complete(null, forGood: true);

    private void Complete(IReadOnlyList<RecordedEvent>? run, bool forGood)
    {
        TaskCompletionSource<IReadOnlyList<RecordedEvent>?>? waiting;
        lock (gate)
        {
            ended |= forGood;
            (waiting, next) = (next, null);
        }
        waiting?.SetResult(run);
    }
}

/// <summary>How long a request may wait in a grain. A stop waits for nobody: it ends all waits, and makes later ones short.</summary>
public sealed class WaitingForNews(Limits limits, IHostApplicationLifetime lifetime)
{
    // Grains still take events while the process drains, so they are followed to the end; none may wait here for long then.
    private static readonly TimeSpan WhileStopping = TimeSpan.FromMilliseconds(250);

    private readonly TimeSpan patience = TimeSpan.FromMilliseconds(limits.LiveWaitMilliseconds);

    /// <returns>The next run; null where time is up, or the wait was ended.</returns>
    internal async Task<IReadOnlyList<RecordedEvent>?> For(Watch watch)
    {
        var next = watch.Next();
        watch.Waiting++;
        var stopping = lifetime.ApplicationStopping;
        var wait = stopping.IsCancellationRequested ? next.WaitAsync(WhileStopping) : next.WaitAsync(patience, stopping);
        // Mostly time is up: nothing is thrown for it, and the grain's turn comes back.
        await ((Task)wait).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        watch.Waiting--;
        return wait.IsCompletedSuccessfully ? await wait : null;
    }
}
