using Tally.Contracts;

namespace Tally.Silo.Http;

/// <summary>What an acknowledged post answers.</summary>
/// <param name="Id">The event's id as its client wrote it, or the one it got.</param>
/// <param name="Fingerprint">Whose event it is.</param>
/// <param name="Sequence">Its place in the fingerprint's history, from 1.</param>
/// <param name="Duplicate">True if the id was recorded before; the rest is the first receipt.</param>
public sealed record Receipt(string Id, string Fingerprint, long Sequence, bool Duplicate);

/// <summary>The outcome of one event that a client sent: a receipt or a refusal.</summary>
internal readonly record struct EventAnswer
{
    private readonly EventFields? fields;
    private readonly Event? @event;
    private readonly RecordResult result;

    /// <summary>The event is not recorded. With 503 <c>unavailable</c>, whether it is recorded is open.</summary>
    public EventAnswer(Refusal refusal) => Refusal = refusal;

    /// <summary>The event is recorded, now or before.</summary>
    public EventAnswer(EventFields fields, Event @event, RecordResult result) =>
        (this.fields, this.@event, this.result) = (fields, @event, result);

    public Refusal? Refusal { get; }

    // No other request knows an id that was made here: what looks like a repeat is the front end's own second try.
    public bool IsRepeat => result.Outcome == RecordOutcome.Duplicate && fields!.Id is not null;

    // The receipt is made on demand: a batch needs none for its events.
    public IResult ToResult() => Refusal is not null ? Refusal : new JsonAnswer<Receipt>(
        new(fields!.IdOf(@event!), fields.Fingerprint!, result.Sequence, IsRepeat), HttpJson.Default.Receipt);
}
