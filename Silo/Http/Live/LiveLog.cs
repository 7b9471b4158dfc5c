using Tally.Contracts;
using Tally.Grains.EventLog;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Live;

/// <summary>
/// The log as the live streams read it: few reads at once for all of them, so that readers who come back together after
/// a fault leave the database's connections to events.
/// </summary>
/// <remarks>Errors: <see cref="EventLogUnavailableException"/> where the database does not answer.</remarks>
internal sealed class LiveLog(SqlStorage log, Limits limits)
{
    private readonly SemaphoreSlim reads = new(limits.LiveReadsMax);

    /// <summary>Where a fingerprint's history ends.</summary>
    public async Task<HistoryPosition> ReadHead(string fingerprint)
    {
        var sequence = (await Turn(() => log.ReadHeads([fingerprint]))).GetValueOrDefault(fingerprint);
        var head = sequence == 0 ? null : await FindEvent(fingerprint, sequence);
        return new(fingerprint, sequence, head?.Event.Id ?? Guid.Empty);
    }

    /// <summary>The event at a place in a fingerprint's history; null where there is none.</summary>
    public async Task<RecordedEvent?> FindEvent(string fingerprint, long sequence) =>
        await Turn(() => log.ReadAfter(fingerprint, sequence - 1, 1, 0)) is [var found] && found.Sequence == sequence
            ? found : null;

    /// <summary>A page of a fingerprint's events after a sequence, oldest first.</summary>
    public Task<IReadOnlyList<RecordedEvent>> ReadPage(string fingerprint, long after) =>
        Turn(() => log.ReadAfter(fingerprint, after, limits.LivePageEventsMax, limits.LivePageBytesMax));

    /// <inheritdoc cref="SqlStorage.ReadFeed"/>
    public Task<IReadOnlyList<FeedNews>?> ReadFeed(FeedPosition after, FeedPosition upTo) =>
        Turn(() => log.ReadFeed(after, upTo, limits.LivePageEventsMax, limits.LivePageBytesMax));

    /// <inheritdoc cref="SqlStorage.ReadNews"/>
    public Task<IReadOnlyList<HistoryNews>> ReadNews(IReadOnlyCollection<HistoryPosition> watched) =>
        log.ReadNews(watched, limits.LivePageEventsMax, limits.PageBytesMax);

    private async Task<T> Turn<T>(Func<Task<T>> read)
    {
        await reads.WaitAsync();
        try
        {
            return await read();
        }
        finally
        {
            reads.Release();
        }
    }
}
