using System.Threading.Channels;
using Tally.Contracts;
using Tally.Grains;
using Tally.Grains.EventLog;

namespace Tally.Tests.Cluster.Breaks;

/// <summary>A sound log, except for what a derived class breaks.</summary>
internal abstract class BrokenLog(IEventLogStorage sound) : IEventLogStorage
{
    protected IEventLogStorage Sound => sound;

    public virtual Task<long?> TryRecord(IReadOnlyList<RecordedEvent> events, IReadOnlyList<RunStart> starts,
        RollupDeltas deltas) =>
        sound.TryRecord(events, starts, deltas);
    public virtual Task<NewestOfMany> ReadNewest(IReadOnlyCollection<string> fingerprints, int limit) =>
        sound.ReadNewest(fingerprints, limit);
    public Task<IReadOnlyList<RecordedEvent>> FindRepeats(IReadOnlyList<RecordedEvent> events) =>
        sound.FindRepeats(events);
    public Task<IReadOnlyDictionary<string, long>> ReadHeads(IReadOnlyCollection<string> fingerprints) =>
        sound.ReadHeads(fingerprints);
    public Task<IReadOnlyList<RecordedEvent>> ReadAfter(string fingerprint, long sequence, int limit, int bytesMax,
        CancellationToken cancellation) =>
        sound.ReadAfter(fingerprint, sequence, limit, bytesMax, cancellation);
    public Task<FingerprintState?> ReadPruned(string fingerprint) => sound.ReadPruned(fingerprint);
    public Task<Removed?> Erase(string fingerprint, long head, bool suppress, int pageEvents) =>
        sound.Erase(fingerprint, head, suppress, pageEvents);
}

/// <summary>Reports a batch as recorded at once, but records it a moment later, in order.</summary>
internal sealed class HastyLog : BrokenLog
{
    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(1);

    private readonly Channel<(DateTime Due, Func<Task> Record)> promised =
        Channel.CreateUnbounded<(DateTime, Func<Task>)>();

    public HastyLog(IEventLogStorage sound) : base(sound) => _ = Task.Run(Keep);

    public override Task<long?> TryRecord(IReadOnlyList<RecordedEvent> events, IReadOnlyList<RunStart> starts,
        RollupDeltas deltas)
    {
        (RecordedEvent[] events, RunStart[] starts) kept = ([.. events], [.. starts]);
        promised.Writer.TryWrite((DateTime.UtcNow + Moment, () => Sound.TryRecord(kept.events, kept.starts, deltas)));
        return Task.FromResult<long?>(0);
    }

    private async Task Keep()
    {
        await foreach (var (due, record) in promised.Reader.ReadAllAsync())
        {
            if (due - DateTime.UtcNow is var early && early > TimeSpan.Zero) await Task.Delay(early);
            await record();
        }
    }
}

/// <summary>Returns a fingerprint's newest events under ids that nobody knows.</summary>
internal sealed class ForgetfulLog(IEventLogStorage sound) : BrokenLog(sound)
{
    public override async Task<NewestOfMany> ReadNewest(IReadOnlyCollection<string> fingerprints, int limit)
    {
        var newest = await base.ReadNewest(fingerprints, limit);
        return newest with
        {
            Events = newest.Events.SelectMany(events => events).ToLookup(
                recorded => recorded.Fingerprint,
                recorded =>
                    recorded with { Event = recorded.Event with { Id = EventIds.Create(DateTimeOffset.UtcNow) } }),
        };
    }
}
