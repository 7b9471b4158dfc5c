using Microsoft.Extensions.Logging;
using Tally.Client.Waiting;

namespace Tally.Client.Sending;

/// <summary>Sends what waits, one batch after the other, until Tally has answered for each event.</summary>
internal sealed class Sender(
    Backlog backlog, BatchRequest request, RefusalReport refusals, TallyOptions options, ILogger logger)
{
    // Proxies often take no more than 1 MiB. A batch may exceed this by one event.
    private const int BatchBytesMax = 900_000;

    // A client that stops does not wait for long, in case the server is back at once.
    private static readonly TimeSpan StoppingDelayMax = TimeSpan.FromSeconds(1);

    private readonly Pause gathering = new(), retrying = new();
    private List<PendingEvent> pending = []; // taken and not settled, in their order
    private int batchMax = options.BatchEventsMax; // less while something in a batch is at fault
    private int failed; // tries in a row
    private bool isFailing; // and the log says so
    private volatile bool isStopping;

    /// <summary>Events that gather are sent now.</summary>
    public void Hurry() => gathering.Cut();

    /// <summary>What waits is sent now, whatever was to be waited for, and then the sending ends.</summary>
    public void Stop()
    {
        isStopping = true;
        gathering.Cut();
        retrying.Cut();
    }

    /// <summary>Sends until the backlog is closed and empty, or until the end.</summary>
    public async Task Run(CancellationToken ending)
    {
        try
        {
            while (await Gather(ending))
            {
                var batch = NextBatch();
                var answer = await request.Post(batch, ending);
                Apply(answer, batch);
                backlog.CompleteFlushes(pending.FirstOrDefault());
                if (answer.Fault is not null) continue;
                if (answer.Problem is null) Recover();
                else if (isStopping && backlog.IsKept) break; // the next start sends them
                else await Wait(answer, ending);
            }
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // the time for the last batches is over
        }
        finally
        {
            backlog.End();
            request.Dispose();
        }
    }

    private async Task<bool> Gather(CancellationToken ending)
    {
        var isRest = pending.Count > 0; // the last batch was full, or cut by its bytes
        Take();
        if (pending.Count == 0)
        {
            if (!await backlog.WaitForEvent(ending)) return false;
            Take();
        }
        if (isRest || pending.Count >= options.BatchEventsMax || backlog.IsFlushing || isStopping || failed > 0)
            return pending.Count > 0;
        await gathering.Wait(options.BatchDelay, ending);
        Take();
        return true;
    }

    private void Take()
    {
        while (pending.Count < options.BatchEventsMax && backlog.TryTake(out var oldest)) pending.Add(oldest!);
    }

    private List<PendingEvent> NextBatch()
    {
        var (count, bytes) = (0, 0);
        while (count < pending.Count && count < batchMax && bytes < BatchBytesMax)
            bytes += pending[count++].Line.Length;
        return pending.GetRange(0, count);
    }

    private void Apply(BatchAnswer answer, List<PendingEvent> batch)
    {
        var fates = answer.Refused.ToLookup(one => one.Index);
        var (recorded, refused, again) = (new List<PendingEvent>(), new List<(PendingEvent, RefusedItem)>(),
            new List<PendingEvent>());
        for (var i = 0; i < batch.Count; i++)
        {
            var refusal = fates[i].FirstOrDefault();
            // Alone in its batch, an event at fault is found.
            if (i >= answer.Handled && batch.Count == 1) refusal ??= answer.Fault;
            if (refusal is { IsTemporary: false }) refused.Add((batch[i], refusal));
            else if (refusal is null && i < answer.Handled) recorded.Add(batch[i]);
            else again.Add(batch[i]);
        }
        pending = [.. again, .. pending.Skip(batch.Count)];
        backlog.Settle(recorded, areRecorded: true);
        backlog.Settle(refused.ConvertAll(one => one.Item1), areRecorded: false);
        refusals.Report(refused);
        if (recorded.Count > 0) failed = 0; // it is overloaded, not away
        batchMax = answer.Fault is not null ? Math.Max(1, batch.Count / 2)
            : Math.Min(options.BatchEventsMax, 2 * batchMax);
    }

    private void Recover()
    {
        if (isFailing) ClientLog.Recovered(logger);
        (failed, isFailing) = (0, false);
    }

    private async Task Wait(BatchAnswer answer, CancellationToken ending)
    {
        failed++;
        if (!isFailing) ClientLog.Failing(logger, request.Address, answer.Problem!);
        isFailing = true;
        var delay = RetryDelay.After(failed, options.RetryDelay, options.RetryDelayMax, answer.RetryAfter,
            Random.Shared.NextDouble());
        if (isStopping && delay > StoppingDelayMax) delay = StoppingDelayMax;
        ClientLog.Retrying(logger, failed, answer.Problem!, delay);
        await retrying.Wait(delay, ending);
    }
}
