using System.Runtime.InteropServices;
using Tally.Contracts;
using Tally.Grains;

namespace Tally.Silo.Http;

/// <summary>
/// Where every way in meets: the fields of an event, whoever sent them in whatever shape, become an event that is
/// recorded, and what became of it a receipt or a refusal. Counts each in the metrics.
/// </summary>
internal sealed class Intake(FrontEnd frontEnd, Limits limits, TimeProvider clock)
{
    public async ValueTask<EventAnswer> Record(EventFields fields)
    {
        if (fields.ToEvent(limits, clock.GetUtcNow(), out var @event) is { } refusal) return Refused(refusal);
        return Answer(fields, @event!, await frontEnd.Record(fields.Fingerprint!, @event!));
    }

    /// <summary>Records many; a fingerprint's go to its grain together, in their order. None waits for another's fault.</summary>
    /// <returns>One answer for each, in their order.</returns>
    public async ValueTask<EventAnswer[]> RecordAll(IReadOnlyList<EventFields> sent)
    {
        var now = clock.GetUtcNow();
        var answers = new EventAnswer[sent.Count];
        var shares = new Dictionary<string, Share>();
        for (var i = 0; i < answers.Length; i++)
        {
            if (sent[i].ToEvent(limits, now, out var @event) is { } refusal) answers[i] = Refused(refusal);
            else (CollectionsMarshal.GetValueRefOrAddDefault(shares, sent[i].Fingerprint!, out _) ??= new()).Add(i, @event!);
        }
        var recording = new List<Task>(shares.Count);
        foreach (var (fingerprint, share) in shares) recording.Add(RecordShare(fingerprint, share));
        await Task.WhenAll(recording);
        return answers;

        async Task RecordShare(string fingerprint, Share share)
        {
            var results = await frontEnd.RecordAll(fingerprint, [.. share.Events]);
            for (var i = 0; i < results.Length; i++)
                answers[share.Places[i]] = Answer(sent[share.Places[i]], share.Events[i], results[i]);
        }
    }

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
