using System.Globalization;

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

    private readonly MemoryStream batch = new();
    private readonly List<long> lines = [];

    public async Task Run(IAsyncEnumerable<Item> items)
    {
        await foreach (var item in items)
        {
            if (item.Json is null)
            {
                Refuse(item.Line, item.Problem!);
                continue;
            }
            batch.Write(item.Json);
            batch.WriteByte((byte)'\n');
            lines.Add(item.Line);
            if (lines.Count == BatchEventsMax || batch.Length >= BatchBytesMax) await Send();
        }
        if (lines.Count > 0) await Send();
    }

    private async Task Send()
    {
        var receipt = await service.Record(batch.GetBuffer().AsMemory(0, (int)batch.Length));
        tally.Recorded += receipt.Recorded;
        tally.Repeated += receipt.Repeated;
        foreach (var refused in receipt.Refused) Refuse(lines[refused.Index], $"{refused.Reason}: {refused.Detail}");
        batch.SetLength(0);
        lines.Clear();
    }

    private void Refuse(long line, string reason)
    {
        tally.Refused++;
        tellRefused(line, reason);
    }
}
