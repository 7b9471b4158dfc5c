using System.Diagnostics;
using Tally.Contracts;
using Tally.Grains.EventLog;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Live;

/// <summary>
/// All fingerprints' new events, for this silo's readers of them. While there are any, the feed in the database is
/// renewed, and read at a fixed pace, for all of them. What they are told is made once for all who ask for the same.
/// </summary>
internal sealed partial class EventFeed(SqlStorage storage, Limits limits, ILogger<EventFeed> logger)
    : BackgroundService
{
    // The database keeps it for two minutes more.
    private static readonly TimeSpan RenewedEach = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RenewedFor = TimeSpan.FromMinutes(1);

    // While another silo merges: as long as a small merge takes.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly SemaphoreSlim beginning = new(1);
    private readonly Lock gate = new(); // for what follows
    private readonly List<Subscription> subscriptions = [];
    private FeedPosition? told; // by the last tick; null while nobody reads
    private long renewed; // when the last renewal that succeeded was begun

    /// <summary>The reader is behind the feed, and reads it by itself until it goes live.</summary>
    /// <exception cref="EventLogUnavailableException">The database does not answer.</exception>
    public async Task<Subscription> Subscribe(LiveReader reader, FeedFilter filter)
    {
        var subscription = new Subscription(this, reader, filter);
        lock (gate)
        {
            subscriptions.Add(subscription);
            if (IsRenewed && told is not null) return subscription;
        }
        try
        {
            await Begin();
            return subscription;
        }
        catch
        {
            subscription.Dispose();
            throw;
        }
    }

    /// <summary>Where the feed is now: whatever is acknowledged from here on comes behind it.</summary>
    /// <exception cref="EventLogUnavailableException">The database does not answer.</exception>
    public async Task<FeedPosition> Begin()
    {
        await beginning.WaitAsync();
        try
        {
            lock (gate)
                if (IsRenewed && told is { } known) return known;
            var position = FeedPosition.After(await Renew(TimeSpan.FromSeconds(limits.QuestionSecondsMax))
                ?? throw new EventLogUnavailableException("The feed was not renewed in time."));
            lock (gate) return subscriptions.Count == 0 ? position : told ??= position;
        }
        finally
        {
            beginning.Release();
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(limits.LiveTickMilliseconds));
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) await Tell();
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // the process stops
        }
    }

    private bool IsRenewed => renewed != 0 && Stopwatch.GetElapsedTime(renewed) < RenewedFor;

    private async Task<long?> Renew(TimeSpan patience)
    {
        for (var begun = Stopwatch.GetTimestamp(); ; await Task.Delay(Pause))
        {
            var now = Stopwatch.GetTimestamp();
            try
            {
                if (await storage.RenewFeed(limits.LiveAllEventsMax) is { } row)
                {
                    lock (gate) renewed = now;
                    return row;
                }
            }
            catch (CommitUnknownException exception)
            {
                throw new EventLogUnavailableException("The database does not answer.", exception);
            }
            if (Stopwatch.GetElapsedTime(begun) >= patience) return null;
        }
    }

    private async Task Tell()
    {
        try
        {
            if (!TryGetPosition(out var position)) return;
            if (Stopwatch.GetElapsedTime(renewed) > RenewedEach) await Renew(TimeSpan.Zero);
            while (true)
            {
                var news = await storage.ReadFeed(position, FeedPosition.End, limits.PageEventsMax,
                    limits.PageBytesMax);
                if (news is { Count: 0 }) return;
                var next = news is not null ? news[^1].Position
                    : await Renew(TimeSpan.Zero) is { } newest ? FeedPosition.After(newest)
                    : position;
                if (next == position || !TryTell(position, next, news)) return;
                position = next;
            }
        }
        catch (EventLogUnavailableException)
        {
            // the next tick has it all
        }
        catch (Exception exception) // whatever it is, readers must not wait for news that never come
        {
            LogFailed(exception);
            lock (gate) subscriptions.ForEach(subscription => subscription.Reader.End(LiveReader.Unavailable));
        }
    }

    private bool TryGetPosition(out FeedPosition position)
    {
        lock (gate)
        {
            position = told.GetValueOrDefault();
            return told is not null;
        }
    }

    // False where others have come meanwhile, who began elsewhere: they would be told again what they know.
    private bool TryTell(FeedPosition from, FeedPosition to, IReadOnlyList<FeedNews>? news)
    {
        var texts = new Dictionary<FeedFilter, LiveText>();
        lock (gate)
        {
            if (told != from) return false;
            told = to;
            foreach (var subscription in subscriptions)
            {
                if (!subscription.IsLive) continue;
                if (!texts.TryGetValue(subscription.Filter, out var text))
                    texts[subscription.Filter] = text =
                        news is null ? LiveText.Missed(to) : LiveText.From(news, subscription.Filter);
                subscription.Reader.Hand(text);
            }
        }
        return true;
    }

    [LoggerMessage(LogLevel.Error, "The live streams of all events failed unexpectedly and end")]
    private partial void LogFailed(Exception exception);

    /// <summary>One reader's part: at first behind, reading the feed by itself, then live.</summary>
    public sealed class Subscription(EventFeed feed, LiveReader reader, FeedFilter filter) : IDisposable
    {
        internal LiveReader Reader => reader;
        internal FeedFilter Filter => filter;
        internal bool IsLive { get; private set; }

        /// <summary>
        /// Goes live where the reader knows what the feed has told, and no more: then it is handed whatever comes.
        /// </summary>
        /// <returns>Null where it is live now; else how far the feed is.</returns>
        public FeedPosition? TryGoLive(FeedPosition known)
        {
            lock (feed.gate)
            {
                if (known != feed.told) return feed.told;
                IsLive = true;
                return null;
            }
        }

        public void Dispose()
        {
            lock (feed.gate)
                if (feed.subscriptions.Remove(this) && feed.subscriptions.Count == 0) feed.told = null;
        }
    }
}
