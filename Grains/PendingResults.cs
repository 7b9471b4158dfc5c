using Tally.Contracts;

namespace Tally.Grains;

/// <summary>One event of many, and where its result goes.</summary>
public readonly record struct PlacedEvent(Event Event, int Place);

/// <summary>
/// What becomes of many events, of whatever fingerprints: their grains say it one by one, and one caller waits for all. A task for
/// each event, or for each fingerprint, would be most of what a batch costs.
/// </summary>
/// <param name="results">Where they go, each at its place. What is not said in time stays as it was.</param>
/// <param name="count">Events that grains are asked for.</param>
public sealed class PendingResults(RecordResult[] results, int count)
{
    private readonly Lock gate = new();
    // Grains tell under their locks, where nobody may go on.
    private readonly TaskCompletionSource known = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int left = count;
    private bool closed;

    internal void Tell(int place, RecordResult result)
    {
        lock (gate)
        {
            if (closed) return;
            results[place] = result;
            if (--left > 0) return;
        }
        known.SetResult();
    }

    /// <summary>Waits for all, but no longer than <paramref name="most"/>: what is said later is not heard.</summary>
    public async Task Wait(TimeSpan most)
    {
        lock (gate)
            if (left == 0) return;
        try
        {
            await known.Task.WaitAsync(most);
        }
        catch (TimeoutException)
        {
            lock (gate) closed = true;
        }
    }
}
