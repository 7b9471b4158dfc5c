using System.Threading.Channels;

namespace Tally.Grains.EventLog;

/// <summary>
/// Batches work at its own pace: a worker takes all that was queued while its last batch was under way. No timer: an
/// idle system answers one item at once, a busy one makes its batches as large as its load.
/// </summary>
/// <param name="weightMax">Queued weight at the most. A heavier item is taken when nothing else is queued.</param>
/// <param name="batchWeightMax">Weight of a batch at the most. A heavier item is a batch of its own.</param>
/// <param name="weigh">An item's weight, at least 1.</param>
/// <param name="work">Handles a batch, in the order of arrival. It answers for its items itself and must not
/// throw.</param>
internal sealed class Batcher<T>(int weightMax, int batchWeightMax, Func<T, int> weigh, Func<List<T>, Task> work)
{
    private readonly Channel<T> queue = Channel.CreateUnbounded<T>();
    private int queuedWeight;
    private Task[] workers = [];

    public int QueuedWeight => Volatile.Read(ref queuedWeight);

    public void Start(int count) => workers = [.. Enumerable.Range(0, count).Select(_ => Task.Run(Run))];

    /// <summary>False where the queue is full or closed; the item is then not taken.</summary>
    public bool TryAdd(T item)
    {
        var weight = weigh(item);
        var queued = Interlocked.Add(ref queuedWeight, weight);
        if ((queued <= weightMax || queued == weight) && queue.Writer.TryWrite(item)) return true;
        Interlocked.Add(ref queuedWeight, -weight);
        return false;
    }

    /// <summary>Takes nothing more, and completes when all that was taken is done.</summary>
    public async Task Close()
    {
        queue.Writer.TryComplete();
        await Task.WhenAll(workers);
    }

    private async Task Run()
    {
        var batch = new List<T>();
        while (await queue.Reader.WaitToReadAsync())
        {
            var weight = 0;
            // Another worker may take the item in between: then the next one is read, which may be heavier.
            while (queue.Reader.TryPeek(out var next) && (batch.Count == 0 || weight + weigh(next) <= batchWeightMax)
                && queue.Reader.TryRead(out next))
            {
                batch.Add(next);
                weight += weigh(next);
            }
            if (batch.Count == 0) continue;
            Interlocked.Add(ref queuedWeight, -weight);
            await work(batch);
            batch.Clear();
        }
    }
}
