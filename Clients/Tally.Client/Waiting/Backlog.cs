using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Tally.Client.Waiting;

/// <summary>
/// The events that wait, oldest first: a channel that takes no more than its maximum, and perhaps files. Any thread may
/// add; one takes. It also counts what becomes of them.
/// </summary>
internal sealed class Backlog
{
    private static readonly TimeSpan WarningInterval = TimeSpan.FromMinutes(1);

    // What adds and what settles is one after the other, so that the channel's order is that of the sequences.
    private readonly Lock gate = new();
    private readonly Channel<PendingEvent> queue = Channel.CreateUnbounded<PendingEvent>();
    private readonly Journal? journal;
    private readonly List<(long Through, TaskCompletionSource Done)> flushes = [];
    private readonly int eventsMax;
    private readonly bool dropsNewest;
    private readonly ILogger logger;
    private long sequence, recorded, refused, dropped, waiting;
    private long unkept; // of those that wait
    private long warnedAt = -(long)WarningInterval.TotalMilliseconds;
    private bool isClosed, hasEnded;

    public Backlog(TallyOptions options, ILogger logger)
    {
        this.logger = logger;
        eventsMax = options.QueueEventsMax;
        dropsNewest = options.WhenFull == WhenFull.DropNewest;
        if (options.QueueFolder is null) return;
        journal = Journal.Open(options.QueueFolder, logger);
        // However many an earlier process has left, none of them is dropped.
        foreach (var (id, line, segment) in journal?.ReadLeft() ?? []) Push(id, line, segment);
    }

    /// <summary>Whether all events that wait survive this process.</summary>
    public bool IsKept
    {
        get { lock (gate) return unkept == 0; }
    }

    public TallyFigures Figures
    {
        get { lock (gate) return new(recorded, refused, dropped, waiting); }
    }

    /// <summary>Completes when there is an event to take. False once none will come any more.</summary>
    public ValueTask<bool> WaitForEvent(CancellationToken cancellation) =>
        queue.Reader.WaitToReadAsync(cancellation);

    /// <summary>Whether somebody waits until events are settled.</summary>
    public bool IsFlushing
    {
        get { lock (gate) return flushes.Count > 0; }
    }

    /// <returns>False if the event is dropped.</returns>
    public bool Add(string id, byte[] line)
    {
        lock (gate)
        {
            var isFull = queue.Reader.Count >= eventsMax;
            if (isClosed || (isFull && dropsNewest))
            {
                CountDropped();
                return false;
            }
            // The one that takes may have been faster, and made room.
            if (isFull && queue.Reader.TryRead(out var oldest))
            {
                Remove(oldest);
                CountDropped();
            }
            Push(id, line, journal?.Append(line));
            return true;
        }
    }

    /// <summary>The oldest event that nobody has taken.</summary>
    public bool TryTake(out PendingEvent? oldest) => queue.Reader.TryRead(out oldest);

    /// <summary>These events need not be sent any more.</summary>
    public void Settle(IReadOnlyList<PendingEvent> events, bool areRecorded)
    {
        if (events.Count == 0) return;
        lock (gate)
        {
            if (hasEnded) return; // they are counted as dropped, or stay in their files
            if (areRecorded) recorded += events.Count;
            else refused += events.Count;
            foreach (var one in events) Remove(one);
        }
        ClientMetrics.Count(areRecorded ? ClientMetrics.Recorded : ClientMetrics.Refused, events.Count);
    }

    /// <summary>Counts an event that was refused before it waited.</summary>
    public void CountRefused()
    {
        lock (gate) refused++;
        ClientMetrics.Count(ClientMetrics.Refused, 1);
    }

    /// <summary>Completes when no event that was added before waits any more, or the client has ended.</summary>
    public Task Flushed()
    {
        lock (gate)
        {
            if (waiting == 0 || hasEnded) return Task.CompletedTask;
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            flushes.Add((sequence, done));
            return done.Task;
        }
    }

    /// <summary>Completes what waits for events that are settled.</summary>
    /// <param name="taken">The oldest event that was taken and is not settled, if there is one.</param>
    public void CompleteFlushes(PendingEvent? taken)
    {
        lock (gate)
        {
            var oldest = taken ?? (queue.Reader.TryPeek(out var next) ? next : null);
            flushes.RemoveAll(flush =>
                (oldest is null || flush.Through < oldest.Sequence) && flush.Done.TrySetResult());
        }
    }

    /// <summary>Takes no more events.</summary>
    public void Close()
    {
        lock (gate) isClosed = true;
        queue.Writer.TryComplete();
    }

    /// <summary>Nothing is sent any more. What waits stays in its files, or is dropped.</summary>
    public void End()
    {
        Close();
        long lost, left;
        lock (gate)
        {
            if (hasEnded) return;
            hasEnded = true;
            (lost, unkept) = (unkept, 0);
            dropped += lost;
            left = waiting -= lost;
            foreach (var (_, done) in flushes) done.TrySetResult();
            flushes.Clear();
            journal?.Dispose();
        }
        ClientMetrics.Count(ClientMetrics.Dropped, lost);
        if (lost > 0) ClientLog.Lost(logger, lost);
        if (left > 0) ClientLog.Left(logger, left);
    }

    private void Push(string id, byte[] line, JournalSegment? segment)
    {
        waiting++;
        if (segment is null) unkept++;
        queue.Writer.TryWrite(new(++sequence, id, line, segment));
    }

    private void Remove(PendingEvent one)
    {
        waiting--;
        if (one.Segment is null) unkept--;
        journal?.Settle(one.Segment);
    }

    private void CountDropped()
    {
        dropped++;
        ClientMetrics.Count(ClientMetrics.Dropped, 1);
        if (Environment.TickCount64 - warnedAt < WarningInterval.TotalMilliseconds) return;
        warnedAt = Environment.TickCount64;
        ClientLog.Dropped(logger, dropped);
    }
}
