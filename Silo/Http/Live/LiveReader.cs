using System.Threading.Channels;
using Tally.Grains;

namespace Tally.Silo.Http.Live;

/// <summary>
/// One open stream. Others hand it what it is to be told, and never wait for it: one whose queue is full is cut off. The request
/// writes what was handed over, in its own time.
/// </summary>
internal sealed class LiveReader : IDisposable
{
    public const string TooSlow = "too_slow";
    public const string Draining = "draining";
    public const string Unavailable = "unavailable";

    // For the last word to reach a reader that takes nothing; then its connection is closed under it. A stop waits less.
    private static readonly TimeSpan LastWordPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LastWordPatienceDraining = TimeSpan.FromSeconds(2);

    private readonly HttpContext context;
    private readonly int queueBytesMax;
    private readonly Action<LiveReader> closed;
    private readonly Channel<LiveText> queue = Channel.CreateUnbounded<LiveText>(new() { SingleReader = true });
    private readonly Lock gate = new();
    private int queuedBytes;
    private string? reason;
    private bool isClosed;
    private CancellationTokenSource? lastWord;
    private CancellationTokenRegistration abort;

    public LiveReader(HttpContext context, int queueBytesMax, Action<LiveReader> closed)
    {
        (this.context, this.queueBytesMax, this.closed) = (context, queueBytesMax, closed);
        TallyMetrics.LiveReaders.Add(1);
    }

    /// <summary>Neither side has ended it.</summary>
    public bool IsOpen => Volatile.Read(ref reason) is null && !context.RequestAborted.IsCancellationRequested;

    /// <summary>Sends the head, and the first line: whoever has them misses nothing from then on.</summary>
    public Task Begin()
    {
        WriteHead(context.Response);
        return Write(LiveText.Greeting.After(0));
    }

    public static void WriteHead(HttpResponse response)
    {
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-store";
        response.Headers["X-Accel-Buffering"] = "no"; // nginx would gather it
    }

    /// <exception cref="OperationCanceledException">The reader has gone.</exception>
    public async Task Write(ReadOnlyMemory<byte> text)
    {
        if (!text.IsEmpty) await context.Response.BodyWriter.WriteAsync(text, context.RequestAborted);
    }

    /// <summary>Writes what is handed over until the stream ends.</summary>
    /// <param name="sequence">Of the last event that it was told.</param>
    public async Task WriteHanded(long sequence = 0)
    {
        while (IsOpen && await queue.Reader.WaitToReadAsync(context.RequestAborted))
            while (IsOpen && queue.Reader.TryRead(out var text))
            {
                Interlocked.Add(ref queuedBytes, -text.Length);
                await Write(text.After(sequence));
                sequence = text.PositionAfter(sequence);
            }
    }

    /// <summary>Takes it into the queue, or ends the stream. From any thread.</summary>
    public void Hand(LiveText text)
    {
        // What is larger than a queue passes through an empty one.
        if (Volatile.Read(ref queuedBytes) is > 0 and var queued && queued + text.Length > queueBytesMax)
        {
            End(TooSlow);
            return;
        }
        Interlocked.Add(ref queuedBytes, text.Length);
        queue.Writer.TryWrite(text);
    }

    /// <summary>Ends the stream; its reader is told why, behind what is being written to it just now. From any thread.</summary>
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
        abort.Dispose(); // from here on the context may be another request's
        lastWord?.Dispose();
        TallyMetrics.LiveReaders.Add(-1);
        closed(this);
    }
}
