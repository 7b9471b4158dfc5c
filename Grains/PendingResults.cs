using Tally.Contracts;

namespace Tally.Grains;

/// <summary>One event of many, and where its result goes.</summary>
public readonly record struct PlacedEvent(Event Event, int Place);

/// <summary>
/// The results of a batch of events of any fingerprints: each is set when it is known, and one caller waits for all of
/// them. A task for each event, or for each fingerprint, would be most of what a batch costs.
/// </summary>
/// <param name="results">One place for each. A result that does not come in time leaves its place as it was.</param>
/// <param name="count">Results to wait for.</param>
public sealed class PendingResults(RecordResult[] results, int count)
{
    private readonly Lock gate = new();
    // Set under a fingerprint's lock, where the caller must not go on.
    private readonly TaskCompletionSource known = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int left = count;
    private bool closed;

    internal void Set(int place, RecordResult result)
    {
        lock (gate)
        {
            if (closed) return;
            results[place] = result;
            if (--left > 0) return;
        }
        known.SetResult();
    }

    /// <summary>
    /// Waits for all, but no longer than <paramref name="most"/>, and not beyond <paramref name="end"/>; what comes
    /// later is dropped.
    /// </summary>
    public async Task Wait(TimeSpan most, CancellationToken end = default)
    {
        lock (gate)
            if (left == 0) return;
        try
        {
            await known.Task.WaitAsync(most, end);
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            lock (gate) closed = true;
        }
    }
}
