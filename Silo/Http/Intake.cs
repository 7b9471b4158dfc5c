using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading.RateLimiting;
using Tally.Contracts;
using Tally.Grains;
using Tally.Silo.Http.Access;
using Tally.Silo.Http.Hostile;

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
        var result = await frontEnd.Record(fields.Fingerprint!, @event!);
        if (IsNewcomer(result)) newcomers.Charge(sender, 1);
        return Answer(fields, @event!, result);
    }

    /// <summary>Records many; a fingerprint's go to its grain together, in their order. None waits for another's fault.</summary>
    /// <param name="sent">As they came.</param>
    /// <param name="sender">The request.</param>
    /// <param name="hasRoom">Whether <see cref="AcquireRoom"/> gave room for them; else they are refused as too many.</param>
    /// <returns>One answer for each, in their order.</returns>
    public async ValueTask<EventAnswer[]> RecordAll(IReadOnlyList<EventFields> sent, HttpContext sender, bool hasRoom)
    {
        var now = clock.GetUtcNow();
        var answers = new EventAnswer[sent.Count];
        var shares = new Dictionary<string, Share>();
        for (var i = 0; i < answers.Length; i++)
        {
            Event? @event = null;
            var refusal = await visitors.Complete(sent[i], sender.Request) ?? Read(sent[i], sender, now, out @event);
            if (refusal is not null) answers[i] = Refused(refusal);
            else (CollectionsMarshal.GetValueRefOrAddDefault(shares, sent[i].Fingerprint!, out _) ??= new()).Add(i, @event!);
        }
        var recording = new List<Task>(shares.Count);
        foreach (var (fingerprint, share) in shares) recording.Add(RecordShare(fingerprint, share));
        await Task.WhenAll(recording);
        return answers;

        async Task RecordShare(string fingerprint, Share share)
        {
            Event[] events = [.. share.Events];
            var results = hasRoom ? await frontEnd.RecordAll(fingerprint, events) : Overloaded(events.Length);
            if (Array.Exists(results, IsNewcomer)) newcomers.Charge(sender, 1);
            for (var i = 0; i < results.Length; i++)
                answers[share.Places[i]] = Answer(sent[share.Places[i]], share.Events[i], results[i]);
        }
    }

    private Refusal? Read(EventFields fields, HttpContext sender, DateTimeOffset now, out Event? @event) =>
        fields.ToEvent(limits, now, out @event) ?? sender.Key()?.Refuses(fields.Product!)
        ?? (counters.Admit(fields.Product!, fields.Action!) ? null : Refusal.TooManyServiceCounters(limits.ServiceCountersMax));

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

    private static RecordResult[] Overloaded(int count) => [.. Enumerable.Repeat(new RecordResult(RecordOutcome.Overloaded, 0), count)];

    // One fingerprint's events of many, and their places among them.
    private sealed class Share
    {
        public List<int> Places { get; } = new(1);
        public List<Event> Events { get; } = new(1);

        public void Add(int place, Event @event)
        {
            Places.Add(place);
            Events.Add(@event);
        }
    }

    private EventAnswer Answer(EventFields fields, Event @event, RecordResult result)
    {
        // Of an id made here no other request knows: what looks like a repeat is the front end's own second try.
        var isRepeat = result.Outcome == RecordOutcome.Duplicate && fields.Id is not null;
        var named = fields.Id ?? @event.Id.ToString();
        if (result.Outcome is RecordOutcome.Recorded or RecordOutcome.Duplicate)
        {
            (isRepeat ? TallyMetrics.EventsRepeated : TallyMetrics.EventsAccepted).Add(1);
            return new(new(named, fields.Fingerprint!, result.Sequence, isRepeat), null);
        }
        return Refused(result.Outcome switch
        {
            RecordOutcome.IdConflict => Refusal.IdConflict(),
            RecordOutcome.TooManyCounters => Refusal.TooManyCounters(limits.CountersMax),
            RecordOutcome.Suppressed => Refusal.Suppressed(),
            RecordOutcome.Overloaded => Refusal.Overloaded(named),
            _ => Refusal.Unavailable(named),
        });
    }

    /// <summary>For what is refused before it has fields.</summary>
    public static EventAnswer Refused(Refusal refusal)
    {
        TallyMetrics.EventRefused(refusal.Reason);
        return new(null, refusal);
    }
}
