using System.Runtime.CompilerServices;
using System.Threading.RateLimiting;
using Tally.Contracts;
using Tally.Grains;
using Tally.Silo.Http.AbuseLimits;
using Tally.Silo.Http.Access;
using Tally.Silo.Http.Derived;

namespace Tally.Silo.Http;

/// <summary>
/// Records events, whichever endpoint they came to: checks their fields, has the grains record them, and answers a
/// receipt or a refusal for each.
/// </summary>
internal sealed class Ingestion(
    FrontEnd frontEnd, VisitorFingerprints visitors, DerivedProperties derived, ServiceCounters counters,
    NewFingerprintLimiter newFingerprints, Limits limits, TimeProvider clock)
{
    // Batches wait here, where a single event is refused. What they hold meanwhile is bounded.
    private readonly ConcurrencyLimiter batchedEvents = new(new()
    {
        PermitLimit = limits.BatchedEventsMax,
        QueueLimit = limits.BatchedEventsWaitingMax,
    });

    /// <param name="sender">The request; its key, if it has one, must allow the event's product.</param>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))] // every post waits here
    public async ValueTask<EventAnswer> Record(EventFields fields, HttpContext sender)
    {
        if (await visitors.AddMissing(fields, sender.Request) is { } incomplete) return new(incomplete);
        fields.Derive = derived.For(sender.Request);
        if (Validate(fields, sender, clock.GetUtcNow(), out var @event) is { } refusal) return new(refusal);
        if (sender.IsHead()) return new(fields, @event!, new(RecordOutcome.Recorded, 0)); // nothing is recorded
        var result = await frontEnd.Record(fields.Fingerprint!, @event!);
        if (IsFirst(result)) newFingerprints.Charge(sender, 1);
        return ToAnswer(fields, @event!, result);
    }

    /// <summary>
    /// Records many events. Those of one fingerprint go to its grain together and in order. A fault of one fingerprint
    /// does not delay the others.
    /// </summary>
    /// <param name="isAdmitted">Whether <see cref="AdmitBatchPart"/> gave a lease; else all are refused.</param>
    /// <returns>One answer for each event, in the order of <paramref name="sent"/>.</returns>
    public async ValueTask<EventAnswer[]> RecordAll(IReadOnlyList<EventFields> sent, HttpContext sender,
        bool isAdmitted)
    {
        var now = clock.GetUtcNow();
        var answers = new EventAnswer[sent.Count];
        var derive = derived.For(sender.Request);
        var events = new List<PlacedEvent>(sent.Count);
        for (var i = 0; i < answers.Length; i++)
        {
            Event? @event = null;
            if (!sent[i].IsHistory) sent[i].Derive = derive; // of old events the request says nothing
            var refusal = await visitors.AddMissing(sent[i], sender.Request)
                ?? Validate(sent[i], sender, now, out @event);
            if (refusal is not null) answers[i] = new(refusal);
            else events.Add(new(@event!, i));
        }
        var results = isAdmitted
            ? await frontEnd.RecordAll(events.ToLookup(one => sent[one.Place].Fingerprint!), sent.Count)
            : [.. Enumerable.Repeat(new RecordResult(RecordOutcome.Overloaded, 0), sent.Count)];
        newFingerprints.Charge(sender, results.Count(IsFirst));
        foreach (var (@event, place) in events) answers[place] = ToAnswer(sent[place], @event, results[place]);
        return answers;
    }

    /// <summary>Waits until a part of a batch may be read. Null if too many wait, or if it took too long.</summary>
    public async ValueTask<RateLimitLease?> AdmitBatchPart()
    {
        using var deadline = new CancellationTokenSource(FrontEnd.Deadline);
        try
        {
            var events = Math.Min(limits.BatchPartEventsMax, limits.BatchedEventsMax);
            var lease = await batchedEvents.AcquireAsync(events, deadline.Token);
            return lease.IsAcquired ? lease : null;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    private Refusal? Validate(EventFields fields, HttpContext sender, DateTimeOffset now, out Event? @event) =>
        fields.ToEvent(limits, now, out @event)
            ?? (sender.Key()?.Allows(fields.Product!) == false ? Refusal.ProductNotAllowed() : null)
        ?? (sender.IsHead() || counters.Admit(fields.Product!, fields.Action!) ? null
            : Refusal.TooManyServiceCounters(limits.ServiceCountersMax));

    private static bool IsFirst(RecordResult result) => result is { Outcome: RecordOutcome.Recorded, Sequence: 1 };

    private EventAnswer ToAnswer(EventFields fields, Event @event, RecordResult result)
    {
        if (result.Outcome is RecordOutcome.Recorded or RecordOutcome.Duplicate)
        {
            var answer = new EventAnswer(fields, @event, result);
            (answer.IsRepeat ? TallyMetrics.EventsRepeated : TallyMetrics.EventsAccepted).Add(1);
            return answer;
        }
        return new(result.Outcome switch
        {
            RecordOutcome.IdConflict => Refusal.IdConflict(),
            RecordOutcome.TooManyCounters => Refusal.TooManyCounters(limits.CountersMax),
            RecordOutcome.Suppressed => Refusal.Suppressed(),
            RecordOutcome.Overloaded => Refusal.Overloaded(fields.IdOf(@event)),
            _ => Refusal.Unavailable(fields.IdOf(@event)),
        });
    }
}
