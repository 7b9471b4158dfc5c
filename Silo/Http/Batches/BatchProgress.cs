namespace Tally.Silo.Http.Batches;

/// <summary>Records a batch part by part, and keeps what became of its items.</summary>
/// <param name="sender">The request.</param>
/// <param name="key">Gives an item without an id its own: the key and its place.</param>
/// <param name="isHistory">Whether its events may be old.</param>
internal sealed class BatchProgress(Intake intake, HttpContext sender, string? key = null, bool isHistory = false)
{
    private readonly List<RefusedItem> refused = [];
    private int handled, recorded, repeated;

    /// <summary>Why the batch has to be sent again; null while everything that was handled is known for good.</summary>
    public Refusal? Open { get; private set; }

    public BatchReceipt ToReceipt() => new(handled, recorded, repeated, refused);

    /// <param name="read">The next part, when there is room for it.</param>
    public async ValueTask Record(Func<List<BatchItem>> read)
    {
        using var room = await intake.AcquireRoom();
        var part = read();
        var sent = new List<EventFields>(part.Count);
        for (var i = 0; i < part.Count; i++)
        {
            if (part[i].Fields is not { } fields) continue;
            fields.IsHistory |= isHistory;
            if (key is not null) fields.Id ??= $"{key}/{handled + i}";
            sent.Add(fields);
        }
        var answers = await intake.RecordAll(sent, sender, hasRoom: room is not null);
        var next = 0;
        foreach (var item in part) Note(item.Refusal is { } refusal ? Intake.Refused(refusal) : answers[next++]);
    }

    private void Note(EventAnswer answer)
    {
        if (answer.Refusal is not null) Note(answer.Refusal);
        else if (answer.IsRepeat) repeated++;
        else recorded++;
        handled++;
    }

    private void Note(Refusal refusal)
    {
        refused.Add(new(handled, refusal.Status, refusal.Reason, refusal.Detail, refusal.Field, refusal.Id));
        if (refusal.Status == StatusCodes.Status503ServiceUnavailable) Open ??= refusal.OfBatch();
    }
}
