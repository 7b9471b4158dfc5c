using Tally.Contracts;
using Tally.Grains.EventLog;

namespace Tally.Silo.Http.Live;

/// <summary>
/// Follows one fingerprint for all of its readers on this silo. Its position is an event that the grain has said is recorded, so
/// no activation that has its place ever says less, unless the history was erased.
/// </summary>
internal sealed partial class Follower(string fingerprint, FrontEnd frontEnd, LiveLog log, Limits limits, ILogger logger)
{
    /// <summary>A place's answer where the history begins anew.</summary>
    public const long Erased = -1;

    private static readonly TimeSpan PauseWhenUnavailable = TimeSpan.FromSeconds(1);

    private readonly TimeSpan pace = TimeSpan.FromMilliseconds(limits.LivePaceMilliseconds);
    private readonly CancellationTokenSource left = new();
    private readonly Lock gate = new(); // for what follows
    private readonly List<Place> places = [];
    private HistoryPosition position;
    private bool begun;

    public Place Join(LiveReader reader, Action<Place> leave)
    {
        var place = new Place(this, reader, leave);
        lock (gate) places.Add(place);
        return place;
    }

    /// <returns>Whether it was the last one.</returns>
    public bool Leave(Place place)
    {
        lock (gate)
        {
            places.Remove(place);
            if (places.Count > 0) return false;
        }
        left.Cancel();
        return true;
    }

    // The first who knows the head says where to begin.
    private void Begin(HistoryPosition head)
    {
        lock (gate)
        {
            if (begun) return;
            (begun, position) = (true, head);
        }
        // It is nobody's request: neither its trace nor its scope go with it.
        using (ExecutionContext.SuppressFlow()) _ = Task.Run(Follow);
    }

    private async Task Follow()
    {
        try
        {
            while (!left.IsCancellationRequested) await Task.Delay(await Advance() ? pace : PauseWhenUnavailable, left.Token);
        }
        catch (OperationCanceledException) when (left.IsCancellationRequested)
        {
            // nobody reads any more
        }
        catch (Exception exception) // whatever it is, the readers must not wait for news that never come
        {
            LogFailed(exception);
            lock (gate)
            {
                places.ForEach(place => place.Reader.End(LiveReader.Unavailable));
                begun = false; // the next reader's try
            }
        }
    }

    private async Task<bool> Advance()
    {
        var news = await frontEnd.News(fingerprint, position);
        if (news.Outcome is not (ViewOutcome.Known or ViewOutcome.Unknown)) return false;
        try
        {
            if (news.Events is { Length: > 0 } events)
                Advance(new(position.Sequence + events.Length, events[^1].Id), LiveText.Of(position.Sequence + 1, events));
            else if (news.Head.Sequence > position.Sequence) await ReadUpTo(news.Head);
            else if (!news.Head.Agrees(position) && !await log.Holds(fingerprint, position)) BeginAnew();
            return true;
        }
        catch (EventLogUnavailableException)
        {
            return false;
        }
    }

    private async Task ReadUpTo(HistoryPosition head)
    {
        while (position.Sequence < head.Sequence && !left.IsCancellationRequested)
        {
            // Beginning with the event that is known: after an erasure another one may be in its place.
            var page = await log.ReadFrom(fingerprint, position.Sequence);
            if (page is [var known, ..] && known.Sequence == position.Sequence && !position.Agrees(LiveLog.PositionOf(known)))
            {
                BeginAnew();
                return;
            }
            // No further than the grain says, though the log may have more: see the position.
            RecordedEvent[] news = [.. page.Where(recorded => recorded.Sequence > position.Sequence && recorded.Sequence <= head.Sequence)];
            if (news.Length == 0) Advance(head, null); // these rows have left the log meanwhile
            else Advance(LiveLog.PositionOf(news[^1]), LiveText.Of(news[0].Sequence, [.. news.Select(recorded => recorded.Event)]));
        }
    }

    private void Advance(HistoryPosition to, LiveText? text)
    {
        lock (gate)
        {
            position = to;
            if (text is null) return;
            foreach (var place in places)
                if (place.IsLive) place.Reader.Hand(text);
        }
    }

    private void BeginAnew()
    {
        lock (gate)
        {
            position = default;
            foreach (var place in places)
                if (place.IsLive) place.Reader.Hand(LiveText.Erased);
                else place.IsErased = true;
        }
    }

    [LoggerMessage(LogLevel.Error, "A fingerprint's live streams failed unexpectedly and end")]
    private partial void LogFailed(Exception exception);

    /// <summary>One reader's place: at first behind, reading the log by itself, then live.</summary>
    public sealed class Place(Follower follower, LiveReader reader, Action<Place> leave) : IDisposable
    {
        internal LiveReader Reader => reader;
        internal Follower Follower => follower;
        internal bool IsLive { get; set; }
        internal bool IsErased { get; set; }

        /// <summary>Where the follower begins, if it has not yet.</summary>
        public void Begin(HistoryPosition head) => follower.Begin(head);

        /// <summary>Whether the reader has met the follower: then it is handed whatever comes.</summary>
        /// <param name="sequence">The last event that it was told.</param>
        /// <returns>Null where it has; else how far it has to read first, or <see cref="Erased"/>.</returns>
        public long? Meet(long sequence)
        {
            lock (follower.gate)
            {
                if (IsErased)
                {
                    IsErased = false;
                    return Erased;
                }
                if (sequence < follower.position.Sequence) return follower.position.Sequence;
                IsLive = true;
                return null;
            }
        }

        public void Dispose() => leave(this);
    }
}

/// <summary>The fingerprints that are watched on this silo.</summary>
internal sealed class Followers(FrontEnd frontEnd, LiveLog log, Limits limits, ILogger<Follower> logger)
{
    private readonly Dictionary<string, Follower> following = [];

    public Follower.Place Join(string fingerprint, LiveReader reader)
    {
        lock (following)
        {
            if (!following.TryGetValue(fingerprint, out var follower))
                following[fingerprint] = follower = new(fingerprint, frontEnd, log, limits, logger);
            return follower.Join(reader, place => Leave(fingerprint, place));
        }
    }

    private void Leave(string fingerprint, Follower.Place place)
    {
        lock (following)
            if (place.Follower.Leave(place)) following.Remove(fingerprint);
    }
}
