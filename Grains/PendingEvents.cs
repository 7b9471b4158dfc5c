using System.Diagnostics;
using Tally.Contracts;

namespace Tally.Grains;

/// <summary>An event on its way into the log, and who waits for what becomes of it.</summary>
/// <param name="event">The event.</param>
/// <param name="batch">The results of the batch that it was sent in, if it was.</param>
/// <param name="place">Its place among them.</param>
internal sealed class PendingEvent(Event @event, PendingResults? batch = null, int place = 0)
{
    // Of one that was sent alone, or that somebody repeats. Who waits goes on at once, within the answer: a detour
    // through the pool for each would cost a twentieth of a post.
    private TaskCompletionSource<RecordResult>? done;

    public Event Event => @event;

    /// <summary>The trace that the event is in, where it is traced.</summary>
    public Activity? Caller { get; } = Activity.Current;

    /// <summary>To be asked for under the fingerprint's lock.</summary>
    public Task<RecordResult> Done => (done ??= new()).Task;

    /// <summary>Under the fingerprint's lock: so those that wait for it alone are told later.</summary>
    public void Answer(RecordResult result, Answers<RecordResult> answers)
    {
        batch?.Set(place, result);
        if (done is not null) answers.Add(done, result);
    }
}

/// <summary>
/// A fingerprint's events that are not answered yet: those of the run under way, and those that wait for the next.
/// </summary>
internal sealed class PendingEvents
{
    // What an event that repeats one of these waits for is that one's commit.
    private readonly Dictionary<Guid, PendingEvent> byId = [];
    private readonly Queue<PendingEvent> next = new(1);

    public bool IsEmpty => byId.Count == 0;
    public bool HasNext => next.Count > 0;
    public int NextCount => next.Count;

    /// <summary>The trace that the next run is in: its first event's.</summary>
    public Activity? NextCaller => next.Peek().Caller;

    public PendingEvent? Find(Guid id) => byId.GetValueOrDefault(id);

    public PendingEvent Add(PendingEvent one)
    {
        byId.Add(one.Event.Id, one);
        next.Enqueue(one);
        return one;
    }

    public PendingEvent TakeNext() => next.Dequeue();

    /// <summary>They go into the next run before those that wait already.</summary>
    public void PutFirst(List<PendingEvent> first)
    {
        PendingEvent[] later = [.. next];
        next.Clear();
        foreach (var one in first) next.Enqueue(one);
        foreach (var one in later) next.Enqueue(one);
    }

    public void Answer(Guid id, RecordResult result, Answers<RecordResult> answers)
    {
        byId.Remove(id, out var one);
        one!.Answer(result, answers);
    }

    /// <summary>Answers those that wait for the next run.</summary>
    public void AnswerNext(RecordResult result, Answers<RecordResult> answers)
    {
        while (HasNext) Answer(TakeNext().Event.Id, result, answers);
    }

    /// <summary>Answers those of the run under way, too.</summary>
    public void AnswerAll(RecordResult result, Answers<RecordResult> answers)
    {
        next.Clear();
        foreach (var id in byId.Keys.ToArray()) Answer(id, result, answers);
    }
}
