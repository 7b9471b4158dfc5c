using System.Runtime.CompilerServices;
using System.Threading.RateLimiting;
using Tally.Contracts;
using Tally.Grains;
using Tally.Silo.Http.AbuseLimits;
using Tally.Silo.Http.Access;

namespace Tally.Silo.Http;

/// <summary>
/// Where every way in meets: the fields of an event, whoever sent them in whatever shape, become an event that is
/// recorded, and what became of it a receipt or a refusal. Counts each in the metrics.
/// </summary>
internal sealed class Intake(
    FrontEnd frontEnd, VisitorFingerprints visitors, ServiceCounters counters, Newcomers newcomers, Limits limits,
    TimeProvider clock)
{
    // Those who send many wait for room, where a single event is refused: what they hold meanwhile is bounded.
    private readonly ConcurrencyLimiter room = new(new()
    {
        PermitLimit = limits.BatchedEventsMax,
        QueueLimit = limits.BatchedEventsWaitingMax,
    });

    /// <param name="fields">As they came.</param>
    /// <param name="sender">The request; its key, where it has one, must be for the event's product.</param>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))] // every post waits here
    public async ValueTask<EventAnswer> Record(EventFields fields, HttpContext sender)
    {
        if (await visitors.Complete(fields, sender.Request) is { } incomplete) return Refused(incomplete);
        if (Read(fields, sender, clock.GetUtcNow(), out var @event) is { } refusal) return Refused(refusal);
        if (sender.AsksHeadAlone()) return new(fields, @event!, new(RecordOutcome.Recorded, 0)); // as it would be; nothing is recorded
        var result = await frontEnd.Record(fields.Fingerprint!, @event!);
        if (IsNewcomer(result)) newcomers.Charge(sender, 1);
        return Answer(fields, @event!, result);
    }

    /// <summary>Records many; a fingerprint's go to its grain together, in their order. None waits for another's fault.</summary>
    /// <param name="sent">As they came.</param>
    /// <param name="sender">The request.</param>
    /// <param name="hasRoom">Whether <see cref="AcquireRoom"/> gave room for them; else they are refused as too many.</param>
    /// <returns>What became of each, in their order.</returns>
    public async ValueTask<EventAnswer[]> RecordAll(IReadOnlyList<EventFields> sent, HttpContext sender, bool hasRoom)
    {
        var now = clock.GetUtcNow();
        var answers = new EventAnswer[sent.Count];
        var events = new List<PlacedEvent>(sent.Count);
        for (var i = 0; i < answers.Length; i++)
        {
            Event? @event = null;
            var refusal = await visitors.Complete(sent[i], sender.Request) ?? Read(sent[i], sender, now, out @event);
            if (refusal is not null) answers[i] = Refused(refusal);
            else events.Add(new(@event!, i));
        }
        var results = hasRoom ? await frontEnd.RecordAll(events.ToLookup(one => sent[one.Place].Fingerprint!), sent.Count)
            : [.. Enumerable.Repeat(new RecordResult(RecordOutcome.Overloaded, 0), sent.Count)];
        newcomers.Charge(sender, results.Count(IsNewcomer));
        foreach (var (@event, place) in events) answers[place] = Answer(sent[place], @event, results[place]);
        return answers;
    }

    private Refusal? Read(EventFields fields, HttpContext sender, DateTimeOffset now, out Event? @event) =>
        fields.ToEvent(limits, now, out @event) ?? (sender.Key()?.Allows(fields.Product!) == false ? Refusal.ProductNotAllowed() : null)
        ?? (sender.AsksHeadAlone() || counters.Admit(fields.Product!, fields.Action!) ? null : Refusal.TooManyServiceCounters(limits.ServiceCountersMax));

    private static bool IsNewcomer(RecordResult result) => result is { Outcome: RecordOutcome.Recorded, Sequence: 1 };

    /// <summary>Waits for room for a part of a batch, before it is read. Null where too many wait, or for too long.</summary>
    public async ValueTask<RateLimitLease?> AcquireRoom()
    {
        using var deadline = new CancellationTokenSource(FrontEnd.Deadline);
        try
        {
            var lease = await room.AcquireAsync(Math.Min(limits.BatchPartEventsMax, limits.BatchedEventsMax), deadline.Token);
            return lease.IsAcquired ? lease : null;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    private EventAnswer Answer(EventFields fields, Event @event, RecordResult result)
    {
        if (result.Outcome is RecordOutcome.Recorded or RecordOutcome.Duplicate)
        {
            var answer = new EventAnswer(fields, @event, result);
            (answer.IsRepeat ? TallyMetrics.EventsRepeated : TallyMetrics.EventsAccepted).Add(1);
            return answer;
        }
        return Refused(result.Outcome switch
        {
            RecordOutcome.IdConflict => Refusal.IdConflict(),
            RecordOutcome.TooManyCounters => Refusal.TooManyCounters(limits.CountersMax),
            RecordOutcome.Suppressed => Refusal.Suppressed(),
            RecordOutcome.Overloaded => Refusal.Overloaded(fields.IdOf(@event)),
            _ => Refusal.Unavailable(fields.IdOf(@event)),
        });
    }

    /// <summary>For what is refused before it has fields.</summary>
    public static EventAnswer Refused(Refusal refusal)
    {
        TallyMetrics.EventRefused(refusal.Reason);
        return new(refusal);
    }
}
