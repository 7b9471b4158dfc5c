using System.Diagnostics;
using Tally.Contracts;

namespace Tally.Grains;

/// <summary>An event on its way into the log, and the callers that wait for what becomes of it.</summary>
internal sealed record Waiting(Event Event)
{
    private readonly TaskCompletionSource<RecordResult> done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>In whose trace the event is, where it is traced.</summary>
    public Activity? Caller { get; } = Activity.Current;

    public Task<RecordResult> Done => done.Task;

    public void Answer(RecordResult result) => done.SetResult(result);
}

/// <summary>
/// A fingerprint's events that are not answered yet: those of the run under way, and those that gather for the next.
/// </summary>
internal sealed class EventsInFlight
{
    // What an event that repeats one of these waits for is its very commit.
    private readonly Dictionary<Guid, Waiting> byId = [];
    private List<Waiting> gathered = [];

    public bool IsEmpty => byId.Count == 0;
    public bool HasGathered => gathered.Count > 0;

    public Waiting this[Guid id] => byId[id];

    public Waiting? Find(Guid id) => byId.GetValueOrDefault(id);

    public Waiting Add(Event @event)
    {
        var waiting = new Waiting(@event);
        byId.Add(@event.Id, waiting);
        gathered.Add(waiting);
        return waiting;
    }

    /// <summary>Those that have gathered, first come first, at most <paramref name="max"/>.</summary>
    public List<Waiting> TakeRun(int max)
    {
        var run = gathered;
        gathered = run.Count > max ? run[max..] : [];
        if (run.Count > max) run.RemoveRange(max, run.Count - max);
        return run;
    }

    /// <summary>They come first in the next run.</summary>
    public void GatherAgain(List<Waiting> first) => gathered.InsertRange(0, first);

    public void Answer(Waiting one, RecordResult result)
    {
        byId.Remove(one.Event.Id);
        one.Answer(result);
    }

    /// <summary>Of those that have gathered, every one.</summary>
    public void AnswerGathered(RecordResult result)
    {
        foreach (var one in gathered) Answer(one, result);
        gathered.Clear();
    }

    /// <summary>Of the run under way, too.</summary>
    public void AnswerAll(RecordResult result)
    {
        foreach (var one in byId.Values) one.Answer(result);
        byId.Clear();
        gathered.Clear();
    }
}
