using System.Globalization;
using Tally.Silo.Http.Batches;

namespace Tally.Silo.Import;

/// <summary>The counts of an import so far.</summary>
internal sealed class ImportTally
{
    /// <summary>Events recorded now, recorded before, and not recorded.</summary>
    public long Recorded, Repeated, Refused;

    /// <summary>What is left out on purpose.</summary>
    public LeftOut LeftOut { get; } = new();

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Recorded} events recorded, {Repeated} were there before, {Refused} refused{LeftOut}");
}

/// <summary>
/// Sends the events of a source to the service, in order and in batches. It does not save how far it came: an import
/// that broke off starts again from the beginning, and the service knows by the ids which events it has.
/// </summary>
/// <param name="reportRefused">Called with the line and the reason of each refused event.</param>
internal sealed class Importing(ServiceClient service, ImportTally tally, Action<long, string> reportRefused)
{
    private const int BatchEventsMax = 1_000; // the service's default for a part of a batch
    private const int BatchBytesMax = 1 << 20; // a batch may exceed it by one event

    private readonly List<Item> batch = [];
    private int batchBytes;

    public async Task Run(IAsyncEnumerable<Item> items)
    {
        await foreach (var item in items)
        {
            if (item.LeftOutAs is { } kind)
            {
                tally.LeftOut.Add(kind);
                continue;
            }
            if (item.Json is null)
            {
                Refuse(item.Line, item.Problem!);
                continue;
            }
            batch.Add(item);
            batchBytes += item.Json.Length;
            if (batch.Count < BatchEventsMax && batchBytes < BatchBytesMax) continue;
            await Send(batch);
            Clear();
        }
        if (batch.Count > 0) await Send(batch);
    }

    // A batch that is refused whole has an event at fault. Halving the batch finds it, and records the others.
    private async Task Send(List<Item> events)
    {
        try
        {
            Add(events, await service.Record(Ndjson(events), events.Count));
        }
        catch (BatchRefusedException refusal)
        {
            if (events.Count == 1)
            {
                Refuse(events[0].Line, refusal.Message);
                return;
            }
            var done = refusal.Done?.Handled ?? 0;
            if (done > 0) Add(events, refusal.Done!);
            else await Send(events[..(done = events.Count / 2)]);
            await Send(events[done..]);
        }
    }

    private void Add(List<Item> events, BatchReceipt receipt)
    {
        tally.Recorded += receipt.Recorded;
        tally.Repeated += receipt.Repeated;
        foreach (var refused in receipt.Refused)
            Refuse(events[refused.Index].Line, $"{refused.Reason}: {refused.Detail}");
    }

    private static byte[] Ndjson(List<Item> events)
    {
        using var body = new MemoryStream();
        foreach (var item in events)
        {
            body.Write(item.Json);
            body.WriteByte((byte)'\n');
        }
        return body.ToArray();
    }

    private void Clear()
    {
        batch.Clear();
        batchBytes = 0;
    }

    private void Refuse(long line, string reason)
    {
        tally.Refused++;
        reportRefused(line, reason);
    }
}
