namespace Tally.Grains.EventLog;

/// <summary>
/// Batches work by its own pace: a worker takes everything that gathered while its last batch was under way. No
/// timer: an idle system answers one item at once, a busy one makes its batches as large as its load.
/// </summary>
/// <param name="weightMax">Queued weight at the most; beyond it <see cref="TryAdd"/> refuses. A heavier item is taken when nothing else waits.</param>
/// <param name="batchWeightMax">Weight of a batch at the most; a single heavier item is a batch of its own.</param>
/// <param name="weigh">An item's weight, at least 1.</param>
/// <param name="work">Handles a batch, first in first out. It answers for its items itself and must not throw.</param>
internal sealed class Batcher<T>(int weightMax, int batchWeightMax, Func<T, int> weigh, Func<List<T>, Task> work)
{
    private readonly Lock gate = new();
    private readonly Queue<T> queue = new();
    private readonly SemaphoreSlim wake = new(0);
    private int queuedWeight;
    private int idleWorkers;
    private bool closed;
    private Task[] workers = [];

    public int QueuedWeight => Volatile.Read(ref queuedWeight);

    public void Start(int count) => workers = [.. Enumerable.Range(0, count).Select(_ => Task.Run(Run))];

    /// <summary>False where the queue is full or closed; the item is then not taken.</summary>
    public bool TryAdd(T item)
    {
        var weight = weigh(item);
        lock (gate)
        {
            if (closed || queuedWeight > 0 && queuedWeight + weight > weightMax) return false;
            queue.Enqueue(item);
            queuedWeight += weight;
            if (idleWorkers == 0) return true; // a busy one comes back for it
            idleWorkers--;
        }
        wake.Release();
        return true;
    }

    /// <summary>Takes nothing more, and completes when all that was taken is done.</summary>
    public async Task Close()
    {
        lock (gate)
        {
            closed = true;
            if (idleWorkers > 0) wake.Release(idleWorkers);
            idleWorkers = 0;
        }
        await Task.WhenAll(workers);
    }

    private async Task Run()
    {
        var batch = new List<T>();
        while (true)
        {
            lock (gate)
            {
                Take(batch);
                if (batch.Count == 0)
                {
                    if (closed) return;
                    idleWorkers++;
                }
            }
            if (batch.Count == 0) await wake.WaitAsync();
            else await work(batch);
            batch.Clear();
        }
    }

    private void Take(List<T> batch)
    {
        var weight = 0;
        while (queue.TryPeek(out var item))
        {
            weight += weigh(item);
            if (batch.Count > 0 && weight > batchWeightMax) return;
            batch.Add(queue.Dequeue());
            queuedWeight -= weigh(item);
        }
    }
}
