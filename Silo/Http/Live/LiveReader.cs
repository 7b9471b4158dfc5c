using System.Threading.Channels;
using Tally.Grains;

namespace Tally.Silo.Http.Live;

/// <summary>
/// One open stream. Others hand it what it is to be told, and never wait for it: one whose queue is full is cut off.
/// The request writes what was handed over, in its own time.
/// </summary>
internal sealed class LiveReader : IDisposable
{
    public const string TooSlow = "too_slow";
    public const string Draining = "draining";
    public const string Unavailable = "unavailable";

    // For the last word to reach a reader that takes nothing; then its connection is closed under it. A stop waits
    // less.
    private static readonly TimeSpan LastWordPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LastWordPatienceDraining = TimeSpan.FromSeconds(2);

    // A reader that keeps up may still have a heartbeat and an event waiting for its turn.
    private const int WaitingBytesMax = 4 * 1024;

    private readonly HttpContext context;
    private readonly int queueBytesMax;
    private readonly HeldBytes held;
    private readonly Action<LiveReader> closed;
    private readonly Channel<LiveText> queue = Channel.CreateUnbounded<LiveText>(new() { SingleReader = true });
    private readonly Lock gate = new();
    private int queuedBytes;
    private string? reason;
    private bool isClosed;
    private CancellationTokenSource? lastWord;
    private CancellationTokenRegistration abort;

    public LiveReader(HttpContext context, int queueBytesMax, HeldBytes held, Action<LiveReader> closed)
    {
        (this.context, this.queueBytesMax, this.held, this.closed) = (context, queueBytesMax, held, closed);
        TallyMetrics.LiveReaders.Add(1);
    }

    /// <summary>The reader has gone.</summary>
    public CancellationToken Gone => context.RequestAborted;

    /// <summary>Neither side has ended it.</summary>
    public bool IsOpen => Volatile.Read(ref reason) is null && !context.RequestAborted.IsCancellationRequested;

    /// <summary>Its answer is a stream: the status is sent.</summary>
    public bool HasBegun { get; private set; }

    /// <summary>Sends the head, and the first line: whoever has them misses nothing from then on.</summary>
    public Task Begin()
    {
        WriteHead(context.Response);
        HasBegun = true;
        return Write(LiveText.Greeting.After(0));
    }

    public static void WriteHead(HttpResponse response)
    {
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-store";
        response.Headers["X-Accel-Buffering"] = "no"; // nginx would gather it
    }

    /// <summary>
    /// Writes a text in pieces: the server copies what it is given, and holds back only who gives more than its buffer
    /// takes.
    /// </summary>
    /// <exception cref="OperationCanceledException">The reader has gone.</exception>
    public async Task Write(ReadOnlyMemory<byte> text)
    {
        for (; !text.IsEmpty; text = text[Math.Min(HeldAnswers.PieceBytes, text.Length)..])
            await context.Response.BodyWriter.WriteAsync(text[..Math.Min(HeldAnswers.PieceBytes, text.Length)],
                context.RequestAborted);
    }

    /// <summary>Writes what is handed over until the stream ends.</summary>
    /// <param name="sequence">Of the last event that it was told.</param>
    public async Task WriteHanded(long sequence = 0)
    {
        while (IsOpen && await queue.Reader.WaitToReadAsync(context.RequestAborted))
            while (IsOpen && queue.Reader.TryRead(out var text))
            {
                Interlocked.Add(ref queuedBytes, -text.Length);
                try
                {
                    await Write(text.After(sequence));
                }
                finally
                {
                    text.LetGo(held);
                }
                sequence = text.PositionAfter(sequence);
            }
    }

    /// <summary>Takes it into the queue, or ends the stream. From any thread.</summary>
    public void Hand(LiveText text)
    {
        // What is larger than a queue passes through an empty one, unless all readers together hold too much.
        var queued = Volatile.Read(ref queuedBytes);
        var after = queued + text.Length;
        if ((queued > 0 && after > queueBytesMax)
            || (held.IsFull && after > (queued > 0 ? WaitingBytesMax : HeldAnswers.PieceBytes)))
        {
            End(TooSlow);
            return;
        }
        Interlocked.Add(ref queuedBytes, text.Length);
        text.Hold(held);
        if (!queue.Writer.TryWrite(text)) text.LetGo(held); // it has ended
    }

    /// <summary>
    /// Ends the stream; its reader is told why, behind what is being written to it just now. From any thread.
    /// </summary>
    public void End(string why)
    {
        lock (gate)
        {
            if (reason is not null || isClosed) return;
            Volatile.Write(ref reason, why);
            queue.Writer.TryComplete();
            lastWord = new(why == Draining ? LastWordPatienceDraining : LastWordPatience);
            abort = lastWord.Token.Register(static context => ((HttpContext)context!).Abort(), context);
        }
        if (why == TooSlow) TallyMetrics.LiveReadersCutOff.Add(1);
    }

    /// <summary>Tells the reader why its stream ends, where it is this side that ends it.</summary>
    public Task SayEnd() => reason is null ? Task.CompletedTask : Write(LiveText.End(reason).After(0));

    public void Dispose()
    {
        lock (gate) isClosed = true;
        queue.Writer.TryComplete();
        while (queue.Reader.TryRead(out var text)) text.LetGo(held);
        abort.Dispose(); // from here on the context may be another request's
        lastWord?.Dispose();
        TallyMetrics.LiveReaders.Add(-1);
        closed(this);
    }
}
