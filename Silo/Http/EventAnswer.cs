namespace Tally.Silo.Http;

/// <summary>What became of one event that a client sent: one of the two.</summary>
/// <param name="Receipt">It is recorded, now or before.</param>
/// <param name="Refusal">It is not, or with 503 <c>unavailable</c> it is open.</param>
internal readonly record struct EventAnswer(Receipt? Receipt, Refusal? Refusal)
{
    public IResult ToResult() => Refusal is not null ? Refusal : new JsonAnswer<Receipt>(Receipt!, HttpJson.Default.Receipt);
}
