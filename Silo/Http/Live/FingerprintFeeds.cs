using Tally.Contracts;
using Tally.Grains.EventLog;

namespace Tally.Silo.Http.Live;

/// <summary>
/// The fingerprints that are watched on this silo. While there are any, the log is asked at a fixed pace, in one
/// statement for all of them, and each feed hands on what is new. Sequences have no gaps and commit in order, so behind
/// a known event nothing is missed and nothing comes twice.
/// </summary>
internal sealed partial class FingerprintFeeds(LiveLog log, Limits limits, ILogger<FingerprintFeeds> logger)
    : BackgroundService
{
    private readonly Dictionary<string, FingerprintFeed> feeds = [];

    public FingerprintFeed.Subscription Subscribe(string fingerprint, LiveReader reader)
    {
        lock (feeds)
        {
            if (!feeds.TryGetValue(fingerprint, out var feed)) feeds[fingerprint] = feed = new(fingerprint);
            return feed.Subscribe(reader, subscription => Unsubscribe(fingerprint, subscription));
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(limits.LiveTickMilliseconds));
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) await PublishNews();
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // the process stops
        }
    }

    private void Unsubscribe(string fingerprint, FingerprintFeed.Subscription subscription)
    {
        lock (feeds)
            if (subscription.Feed.Unsubscribe(subscription)) feeds.Remove(fingerprint);
    }

    private async Task PublishNews()
    {
        List<FingerprintFeed> asked = [];
        try
        {
            do
            {
                asked = Watched();
            }
            while (asked.Count > 0 && await PublishNews(asked));
        }
        catch (EventLogUnavailableException)
        {
            // the next tick has it all
        }
        catch (Exception exception) // whatever it is, readers must not wait for news that never come
        {
            LogFailed(exception);
            asked.ForEach(feed => feed.End(LiveReader.Unavailable));
        }
    }

    private List<FingerprintFeed> Watched()
    {
        lock (feeds) return [.. feeds.Values.Where(feed => feed.Position is not null)];
    }

    /// <returns>Whether there may be more to read already.</returns>
    private async Task<bool> PublishNews(List<FingerprintFeed> asked)
    {
        var news = await log.ReadNews(asked.ConvertAll(feed => feed.Position!));
        var byFingerprint = news.ToLookup(row => row.Fingerprint);
        foreach (var feed in asked)
            if (byFingerprint[feed.Fingerprint] is var ofFeed && ofFeed.Any()) feed.Publish(ofFeed);
        return byFingerprint.Any(rows => rows.Count() >= limits.LivePageEventsMax || rows.Any(row => row.IsErased))
            || news.Sum(row => (long)(row.Event?.PropertiesBytes ?? 0)) > limits.PageBytesMax;
    }

    [LoggerMessage(LogLevel.Error, "The live streams of fingerprints failed unexpectedly and end")]
    private partial void LogFailed(Exception exception);
}
