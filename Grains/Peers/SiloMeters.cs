using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Reflection;
using Tally.Grains.EventLog;

namespace Tally.Grains.Peers;

/// <summary>
/// What this silo says of itself when it is asked: it listens to what is measured anyway, and remembers the last minute
/// and the sums since the start.
/// </summary>
public sealed class SiloMeters : IDisposable
{
    private const int RecentSeconds = 10;
    private const int RevisionLength = 7;
    private const int CommitsMax = 8_192; // more than in a usual minute, and 128 KB
    private static readonly TimeSpan CommitsAge = TimeSpan.FromMinutes(1);

    private static readonly string Version = ReadVersion();

    private delegate void Hear(double value, ReadOnlySpan<KeyValuePair<string, object?>> labels);

    private readonly ResidentFingerprints residents;
    private readonly GroupCommit log;
    private readonly TimeProvider clock;
    private readonly Dictionary<string, Hear> heard;
    private readonly MeterListener listener = new();
    private readonly Lock gate = new(); // once or twice a commit
    private readonly (long Second, long Events)[] recorded = new (long, long)[RecentSeconds + 1];
    private readonly Queue<(long At, double Seconds)> commits = new();
    private readonly SortedDictionary<string, PoolUse> pools = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> refused = new();
    private long accepted, repeated, forwarded;

    public SiloMeters(ResidentFingerprints residents, GroupCommit log, TimeProvider clock)
    {
        (this.residents, this.log, this.clock) = (residents, log, clock);
        heard = new()
        {
            ["tally.events.accepted"] = (events, _) => Interlocked.Add(ref accepted, (long)events),
            ["tally.events.repeated"] = (events, _) => Interlocked.Add(ref repeated, (long)events),
            ["tally.events.forwarded"] = (events, _) => Interlocked.Add(ref forwarded, (long)events),
            ["tally.events.refused"] = (events, labels) =>
            {
                if (events == 0) return; // a count that begins
                refused.AddOrUpdate(Label(labels, "reason"),
                    static (_, more) => more, static (_, before, more) => before + more, (long)events);
            },
            ["tally.commit.events"] = (events, _) => HearRecorded((long)events),
            ["tally.commit.duration"] = HearCommit,
            // Npgsql's, which are read when somebody asks
            ["db.client.connection.count"] = (count, labels) =>
            {
                var pool = PoolOf(labels);
                pools[pool.Name] = Label(labels, "db.client.connection.state") == "used"
                    ? pool with { Used = (int)count } : pool with { Idle = (int)count };
            },
            ["db.client.connection.max"] = (max, labels) =>
            {
                var pool = PoolOf(labels);
                pools[pool.Name] = pool with { Max = (int)max };
            },
        };
        listener.InstrumentPublished = (instrument, listening) =>
        {
            if (instrument.Meter.Name is TallyMetrics.MeterName or "Npgsql"
                && heard.TryGetValue(instrument.Name, out var hear))
                listening.EnableMeasurementEvents(instrument, hear);
        };
        listener.SetMeasurementEventCallback<int>(static (_, value, labels, hear) => ((Hear)hear!)(value, labels));
        listener.SetMeasurementEventCallback<long>(static (_, value, labels, hear) => ((Hear)hear!)(value, labels));
        listener.SetMeasurementEventCallback<double>(static (_, value, labels, hear) => ((Hear)hear!)(value, labels));
        listener.Start();
    }

    public SiloFigures Read()
    {
        var use = ReadPools();
        var (times, eventsPerSecond) = ReadRecent();
        Array.Sort(times);
        var taken = Volatile.Read(ref accepted) + Volatile.Read(ref repeated);
        return new(Version, residents.Count, eventsPerSecond, Percentile(times, 50), Percentile(times, 99),
            log.QueuedEvents, taken > 0 ? Math.Min(1, (double)Volatile.Read(ref forwarded) / taken) : null,
            Volatile.Read(ref repeated), new(refused), use);
    }

    public void Dispose() => listener.Dispose();

    private void HearRecorded(long events)
    {
        lock (gate)
        {
            var second = Second();
            ref var place = ref recorded[second % recorded.Length];
            place = (second, place.Second == second ? place.Events + events : events);
        }
    }

    private void HearCommit(double seconds, ReadOnlySpan<KeyValuePair<string, object?>> labels)
    {
        if (Label(labels, "outcome") != "recorded") return;
        lock (gate)
        {
            commits.Enqueue((clock.GetTimestamp(), seconds));
            if (commits.Count > CommitsMax) commits.Dequeue();
        }
    }

    private PoolUse PoolOf(ReadOnlySpan<KeyValuePair<string, object?>> labels)
    {
        var name = Label(labels, "db.client.connection.pool.name");
        return pools.GetValueOrDefault(name) with { Name = name };
    }

    private PoolUse[] ReadPools()
    {
        lock (pools)
        {
            pools.Clear();
            listener.RecordObservableInstruments();
            return [.. pools.Values.Where(pool => pool.Used + pool.Idle > 0)]; // others have no pool, or no use for it
        }
    }

    private (double[] CommitSeconds, double EventsPerSecond) ReadRecent()
    {
        lock (gate)
        {
            while (commits.TryPeek(out var oldest) && clock.GetElapsedTime(oldest.At) > CommitsAge) commits.Dequeue();
            var now = Second(); // which has not ended
            return ([.. commits.Select(one => one.Seconds)],
                recorded.Where(one => one.Second >= now - RecentSeconds && one.Second < now)
                    .Sum(one => one.Events) / (double)RecentSeconds);
        }
    }

    private static double? Percentile(double[] sorted, int percent) => sorted.Length == 0 ? null
        : Math.Round(sorted[(sorted.Length - 1) * percent / 100] * 1_000, 3);

    private long Second() => clock.GetTimestamp() / clock.TimestampFrequency;

    // The compiler adds the revision as +2d7bd5dba8d5...
    private static string ReadVersion() =>
        typeof(SiloMeters).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!
            .InformationalVersion.Split('+') is [var version, { Length: > RevisionLength } revision]
            ? $"{version} ({revision[..RevisionLength]})"
            : typeof(SiloMeters).Assembly.GetName().Version!.ToString(3);

    private static string Label(ReadOnlySpan<KeyValuePair<string, object?>> labels, string name)
    {
        foreach (var (key, value) in labels)
            if (key == name) return (string)value!;
        return "";
    }
}
