using System.Diagnostics;
using Tally.Contracts;

namespace Tally.Grains;

/// <summary>An event on its way into the log, and who waits for what becomes of it.</summary>
/// <param name="event">It.</param>
/// <param name="many">Those it was sent with, where it was.</param>
/// <param name="place">Its place among them.</param>
internal sealed class Waiting(Event @event, PendingResults? many = null, int place = 0)
{
    // Of one that was sent alone, or that somebody repeats. Who waits goes on at once, within the answer: a detour through the
    // pool for each would cost a twentieth of a post.
    private TaskCompletionSource<RecordResult>? done;

    public Event Event => @event;

    /// <summary>In whose trace the event is, where it is traced.</summary>
    public Activity? Caller { get; } = Activity.Current;

    /// <summary>To be asked for under the grain's lock.</summary>
    public Task<RecordResult> Done => (done ??= new()).Task;

    /// <summary>Under the grain's lock: so those that wait for it alone are told later.</summary>
    public void Answer(RecordResult result, Answers answers)
    {
        many?.Tell(place, result);
        if (done is not null) answers.Add(done, result);
    }
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

    public Waiting Add(Waiting one)
    {
        byId.Add(one.Event.Id, one);
        gathered.Enqueue(one);
        return one;
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
        one.Answer(result, answers);
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
