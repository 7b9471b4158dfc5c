using Tally.Grains;

namespace Tally.Silo.Http.Batches;

/// <summary>Records a batch part by part, and adds up the outcomes of its items.</summary>
/// <param name="key">The batch's idempotency key: an item without an id gets the key and its place.</param>
internal sealed class BatchProgress(Ingestion ingestion, HttpContext sender, string? key = null, bool isHistory = false)
{
    private readonly List<RefusedItem> refused = [];
    private int handled, recorded, repeated;

    /// <summary>Whether an item whose time is out of range counts when it arrives, as text does.</summary>
    public bool CountsOnArrival { get; init; }

    /// <summary>Why the batch has to be sent again; null while the outcome of every handled item is final.</summary>
    public Refusal? Unfinished { get; private set; }

    public BatchReceipt ToReceipt() => new(handled, recorded, repeated, refused);

    /// <param name="parsePart">Parses the next part, once it is admitted.</param>
    public async ValueTask Record(Func<List<BatchItem>> parsePart)
    {
        using var lease = await ingestion.AdmitBatchPart();
        var part = parsePart();
        var sent = new List<EventFields>(part.Count);
        for (var i = 0; i < part.Count; i++)
        {
            if (part[i].Fields is not { } fields) continue;
            fields.IsHistory |= isHistory;
            fields.CountsOnArrival |= CountsOnArrival;
            if (key is not null) fields.Id ??= $"{key}/{handled + i}";
            sent.Add(fields);
        }
        var answers = await ingestion.RecordAll(sent, sender, isAdmitted: lease is not null);
        var next = 0;
        foreach (var item in part) Add(item.Refusal is { } refusal ? new(refusal) : answers[next++]);
    }

    private void Add(EventAnswer answer)
    {
        if (answer.Refusal is not null) Add(answer.Refusal);
        else if (answer.IsRepeat) repeated++;
        else recorded++;
        handled++;
    }

    private void Add(Refusal refusal)
    {
        TallyMetrics.EventRefused(refusal.Reason);
        refused.Add(new(handled, refusal.Status, refusal.Reason, refusal.Detail, refusal.Field, refusal.Id));
        if (refusal.Status == StatusCodes.Status503ServiceUnavailable) Unfinished ??= refusal.ForBatch();
    }
}
