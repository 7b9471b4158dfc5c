using Tally.Contracts;
using Tally.Grains;
using Tally.Grains.EventLog;

namespace Tally.Tests.Harness;

/// <summary>Decides and folds as a fingerprint's grain does, to test the layers below the grain.</summary>
internal sealed class FingerprintWriter(string fingerprint, Calendar? calendar = null)
{
    private readonly Calendar calendar = calendar ?? Calendar.Utc;

    public string Fingerprint => fingerprint;

    public FingerprintState State { get; } = new();

    /// <summary>Decides the next run, without appending or folding it.</summary>
    public DecidedEvent[] Decide(params IEnumerable<Event> events)
    {
        var decisions = new Decisions(fingerprint, State, int.MaxValue, calendar);
        return [.. events.Select(e => decisions.Next(e)!)];
    }

    public DecidedEvent[] Decide(int count) => Decide(Enumerable.Range(0, count).Select(_ => EventSamples.View()));

    public void Fold(IEnumerable<RecordedEvent> run)
    {
        foreach (var recorded in run) State.Apply(recorded, calendar);
    }

    /// <summary>Decides, appends and folds a run. The append must succeed.</summary>
    public async Task Record(GroupCommit log, params IEnumerable<Event> events)
    {
        var run = Decide(events);
        Assert.Equal(AppendOutcome.Recorded, (await log.Append(run)).Outcome);
        Fold(run);
    }
}

internal static class EventSamples
{
    public static readonly DateTime Noon = new(2026, 3, 1, 12, 0, 0, DateTimeKind.Utc);

    public static Event View(string? id = null, string product = "k8s", string action = "view",
        DateTime? occurred = null) =>
        new(id is null ? Guid.NewGuid() : EventIds.FromClient(id), action, product, Noon, occurred ?? Noon, null);

    public static Event[] Views(int count) => [.. Enumerable.Range(0, count).Select(_ => View())];
}
