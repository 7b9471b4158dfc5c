using Tally.Contracts;

namespace Tally.Silo.Http;

/// <summary>What became of one event that a client sent.</summary>
internal readonly record struct EventAnswer
{
    private readonly EventFields? fields;
    private readonly Event? @event;
    private readonly RecordResult result;

    /// <summary>It is not recorded, or with 503 <c>unavailable</c> that is open.</summary>
    public EventAnswer(Refusal refusal) => Refusal = refusal;

    /// <summary>It is recorded, now or before.</summary>
    public EventAnswer(EventFields fields, Event @event, RecordResult result) => (this.fields, this.@event, this.result) = (fields, @event, result);

    public Refusal? Refusal { get; }

    // Of an id made here no other request knows: what looks like a repeat is the front end's own second try.
    public bool IsRepeat => result.Outcome == RecordOutcome.Duplicate && fields!.Id is not null;

    // Made here, since of most events of a batch nobody asks for one.
    public IResult ToResult() => Refusal is not null ? Refusal : new JsonAnswer<Receipt>(
        new(fields!.IdOf(@event!), fields.Fingerprint!, result.Sequence, IsRepeat), HttpJson.Default.Receipt);
}
