namespace Tally.Client.Sending;

/// <summary>A wait that others may cut short. Who cuts while nobody waits cuts the next one.</summary>
internal sealed class Pause
{
    private volatile TaskCompletionSource cut = Create();

    public void Cut() => cut.TrySetResult();

    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public async Task Wait(TimeSpan time, CancellationToken cancellation)
    {
        // a time that has passed is no fault
        await cut.Task.WaitAsync(time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellation.ThrowIfCancellationRequested();
        if (cut.Task.IsCompleted) cut = Create();
    }

    private static TaskCompletionSource Create() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
