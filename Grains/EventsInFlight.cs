using System.Diagnostics;
using Tally.Contracts;

namespace Tally.Grains;

/// <summary>An event on its way into the log, and the callers that wait for what becomes of it.</summary>
internal sealed record Waiting(Event Event)
{
    // Its callers go on at once, within the answer: a detour through the pool for each would cost a twentieth of a post.
    private readonly TaskCompletionSource<RecordResult> done = new();

    /// <summary>In whose trace the event is, where it is traced.</summary>
    public Activity? Caller { get; } = Activity.Current;

    public Task<RecordResult> Done => done.Task;

    public void Tell(RecordResult result) => done.SetResult(result);
}

/// <summary>
/// A fingerprint's events that are not answered yet: those of the run under way, and those that gather for the next.
/// </summary>
internal sealed class EventsInFlight
{
    // What an event that repeats one of these waits for is its very commit.
    private readonly Dictionary<Guid, Waiting> byId = [];
    private readonly Queue<Waiting> gathered = new(1);

    public bool IsEmpty => byId.Count == 0;
    public bool HasGathered => gathered.Count > 0;
    public int Gathered => gathered.Count;

    /// <summary>In whose trace the next run is: its first event's.</summary>
    public Activity? NextCaller => gathered.Peek().Caller;

    public Waiting this[Guid id] => byId[id];

    public Waiting? Find(Guid id) => byId.GetValueOrDefault(id);

    public Waiting Add(Event @event)
    {
        var waiting = new Waiting(@event);
        byId.Add(@event.Id, waiting);
        gathered.Enqueue(waiting);
        return waiting;
    }

    /// <summary>Of those that have gathered, first come first.</summary>
    public Waiting TakeNext() => gathered.Dequeue();

    /// <summary>They come first in the next run.</summary>
    public void GatherAgain(List<Waiting> first)
    {
        Waiting[] later = [.. gathered];
        gathered.Clear();
        foreach (var one in first) gathered.Enqueue(one);
        foreach (var one in later) gathered.Enqueue(one);
    }

    public void Answer(Waiting one, RecordResult result, Answers answers)
    {
        byId.Remove(one.Event.Id);
        answers.Add(one, result);
    }

    /// <summary>Of those that have gathered, every one.</summary>
    public void AnswerGathered(RecordResult result, Answers answers)
    {
        while (HasGathered) Answer(TakeNext(), result, answers);
    }

    /// <summary>Of the run under way, too.</summary>
    public void AnswerAll(RecordResult result, Answers answers)
    {
        gathered.Clear();
        foreach (var one in byId.Values.ToArray()) Answer(one, result, answers);
    }
}
