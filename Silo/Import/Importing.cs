using System.Globalization;
using Tally.Silo.Http.Batches;

namespace Tally.Silo.Import;

/// <summary>What an import has come to so far.</summary>
internal sealed class ImportTally
{
    /// <summary>Recorded now, recorded before, and not recorded.</summary>
    public long Recorded, Repeated, Refused;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Recorded} events recorded, {Repeated} were there before, {Refused} refused");
}

/// <summary>
/// Brings the events of a source to the service, in their order and in batches. It keeps no notes of how far it came:
/// the ids tell the service what it has, so an import that was broken off is begun again from the start.
/// </summary>
/// <param name="service">Where to.</param>
/// <param name="tally">Kept while it runs.</param>
/// <param name="tellRefused">Told the line and the reason.</param>
internal sealed class Importing(ServiceClient service, ImportTally tally, Action<long, string> tellRefused)
{
    private const int BatchEventsMax = 1_000; // as many as the service records at once
    private const int BatchBytesMax = 1 << 20; // a batch may take one event more

    private readonly List<Item> batch = [];
    private int batchBytes;

    public async Task Run(IAsyncEnumerable<Item> items)
    {
        await foreach (var item in items)
        {
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

    // What the service refuses as a whole has one event in it that is at fault: the others are recorded without it.
    private async Task Send(List<Item> events)
    {
        try
        {
            Note(events, await service.Record(Ndjson(events), events.Count));
        }
        catch (BatchRefusedException refusal)
        {
            if (events.Count == 1)
            {
                Refuse(events[0].Line, refusal.Message);
                return;
            }
            var done = refusal.Done?.Handled ?? 0;
            if (done > 0) Note(events, refusal.Done!);
            else await Send(events[..(done = events.Count / 2)]);
            await Send(events[done..]);
        }
    }

    private void Note(List<Item> events, BatchReceipt receipt)
    {
        tally.Recorded += receipt.Recorded;
        tally.Repeated += receipt.Repeated;
        foreach (var refused in receipt.Refused) Refuse(events[refused.Index].Line, $"{refused.Reason}: {refused.Detail}");
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
        tellRefused(line, reason);
    }
}
