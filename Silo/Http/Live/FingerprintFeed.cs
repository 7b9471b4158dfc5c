using Tally.Grains.EventLog;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Live;

/// <summary>One fingerprint's new events, for all of its readers on this silo.</summary>
internal sealed class FingerprintFeed(string fingerprint)
{
    private readonly Lock gate = new(); // for what follows
    private readonly List<Subscription> subscriptions = [];
    private HistoryPosition? position;

    public string Fingerprint => fingerprint;

    /// <summary>The last event that the readers were told; null until the first reader knows where to begin.</summary>
    public HistoryPosition? Position
    {
        get
        {
            lock (gate) return position;
        }
    }

    public Subscription Subscribe(LiveReader reader, Action<Subscription> unsubscribe)
    {
        var subscription = new Subscription(this, reader, unsubscribe);
        lock (gate) subscriptions.Add(subscription);
        return subscription;
    }

    /// <returns>Whether it was the last one.</returns>
    public bool Unsubscribe(Subscription subscription)
    {
        lock (gate)
        {
            subscriptions.Remove(subscription);
            return subscriptions.Count == 0;
        }
    }

    /// <param name="news">What came behind <see cref="Position"/>.</param>
    public void Publish(IEnumerable<HistoryNews> news)
    {
        var isErased = false;
        var events = new List<RecordedEvent>();
        foreach (var row in news)
        {
            isErased |= row.IsErased;
            if (row.Event is not null) events.Add(row.Event);
        }
        if (isErased) Restart(); // and reads the new history from its beginning
        else Publish(events[^1], LiveText.From(events[0].Sequence, [.. events.Select(recorded => recorded.Event)]));
    }

    public void End(string reason)
    {
        lock (gate) subscriptions.ForEach(subscription => subscription.Reader.End(reason));
    }

    private void Publish(RecordedEvent last, LiveText text)
    {
        lock (gate)
        {
            position = new(fingerprint, last.Sequence, last.Event.Id);
            foreach (var subscription in subscriptions)
                if (subscription.IsLive) subscription.Reader.Hand(text);
        }
    }

    private void Restart()
    {
        lock (gate)
        {
            position = new(fingerprint, 0, Guid.Empty);
            foreach (var subscription in subscriptions)
                if (subscription.IsLive) subscription.Reader.Hand(LiveText.Erased);
                else subscription.IsErased = true;
        }
    }

    /// <summary>One reader's part: at first behind, reading the log by itself, then live.</summary>
    public sealed class Subscription(FingerprintFeed feed, LiveReader reader, Action<Subscription> unsubscribe)
        : IDisposable
    {
        /// <summary>The answer of <see cref="TryGoLive"/> where the history begins anew.</summary>
        public const long Erased = -1;

        internal FingerprintFeed Feed => feed;
        internal LiveReader Reader => reader;
        internal bool IsLive { get; set; }
        internal bool IsErased { get; set; }

        /// <summary>The feed begins here, if no earlier reader has begun it.</summary>
        public void Begin(HistoryPosition head)
        {
            lock (feed.gate) feed.position ??= head;
        }

        /// <summary>
        /// Goes live where the reader knows all that the feed has told: then it is handed whatever comes.
        /// </summary>
        /// <param name="sequence">The last event that the reader was told.</param>
        /// <returns>Null where it is live now; else how far it has to read first, or <see cref="Erased"/>.</returns>
        public long? TryGoLive(long sequence)
        {
            lock (feed.gate)
            {
                if (IsErased)
                {
                    IsErased = false;
                    return Erased;
                }
                if (sequence < feed.position!.Sequence) return feed.position.Sequence;
                IsLive = true;
                return null;
            }
        }

        public void Dispose() => unsubscribe(this);
    }
}
