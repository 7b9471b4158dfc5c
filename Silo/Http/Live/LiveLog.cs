using Tally.Contracts;
using Tally.Grains.EventLog;

namespace Tally.Silo.Http.Live;

/// <summary>
/// The log as the live streams read it: few pages at once for all of them, so that those who come back together after a fault
/// leave the database's connections to events.
/// </summary>
internal sealed class LiveLog(IEventLogStorage storage, Limits limits)
{
    private readonly SemaphoreSlim reads = new(limits.LiveReadsMax);

    /// <summary>A page of a fingerprint's events after a sequence, oldest first.</summary>
    /// <exception cref="EventLogUnavailableException">The database does not answer.</exception>
    public Task<IReadOnlyList<RecordedEvent>> Read(string fingerprint, long after) =>
        Read(fingerprint, after, limits.LivePageEventsMax, limits.LivePageBytesMax);

    /// <summary>A page that begins with a known event, and has the next one too where there is one.</summary>
    /// <exception cref="EventLogUnavailableException">The database does not answer.</exception>
    public async Task<IReadOnlyList<RecordedEvent>> ReadFrom(string fingerprint, long known)
    {
        var after = Math.Max(0, known - 1);
        var page = await Read(fingerprint, after);
        return page is [var only] && only.Sequence == known ? await Read(fingerprint, after, 2, limits.PageBytesMax) : page;
    }

    /// <summary>Whether the log has this very event.</summary>
    /// <exception cref="EventLogUnavailableException">The database does not answer.</exception>
    public async Task<bool> Holds(string fingerprint, HistoryPosition position) =>
        await Read(fingerprint, position.Sequence - 1, 1, 0) is [var found] && position.Agrees(PositionOf(found));

    public static HistoryPosition PositionOf(RecordedEvent recorded) => new(recorded.Sequence, recorded.Event.Id);

    private async Task<IReadOnlyList<RecordedEvent>> Read(string fingerprint, long after, int limit, int bytesMax)
    {
        await reads.WaitAsync();
        try
        {
            return await storage.ReadAfter(fingerprint, after, limit, bytesMax);
        }
        finally
        {
            reads.Release();
        }
    }
}
