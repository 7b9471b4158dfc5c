using System.Collections.Concurrent;
using Tally.Contracts;
using Tally.Grains;

namespace Tally.Silo.Http.Live;

/// <summary>
/// All open streams of this silo: counts them, keeps them alive, and ends them when the process is told to stop.
/// </summary>
internal sealed class LiveReaders(Limits limits, IHostApplicationLifetime lifetime) : BackgroundService
{
    // Within what proxies wait for a word: deploy/haproxy.cfg 15 s, others mostly a minute.
    private static readonly TimeSpan Heartbeats = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<LiveReader, bool> open = new();
    private int count;

    /// <summary>What they all have still to take.</summary>
    public HeldBytes Held { get; } = new(limits.LiveBytesMax, TallyMetrics.LiveBytesHeld);

    /// <summary>Runs a stream, to its end.</summary>
    /// <param name="context">Whose answer it is.</param>
    /// <param name="tell">Begins the stream, or returns why it does not.</param>
    public async Task<IResult> Run(HttpContext context, Func<LiveReader, Task<Refusal?>> tell)
    {
        if (context.IsHead())
        {
            LiveReader.WriteHead(context.Response);
            return Results.Empty;
        }
        if (Interlocked.Increment(ref count) > limits.LiveReadersMax)
        {
            Interlocked.Decrement(ref count);
            return Refusal.TooManyReaders(limits.LiveReadersMax);
        }
        using var reader = new LiveReader(context, limits.LiveQueueBytesMax, Held, Close);
        open[reader] = true;
        // One that comes while the process drains is let in, and sent away: a browser gives up for good at any status
        // but 200.
        if (lifetime.ApplicationStopping.IsCancellationRequested) reader.End(LiveReader.Draining);
        try
        {
            if (await tell(reader) is { } refusal) return refusal;
            if (!reader.HasBegun) return Refusal.QuestionNotAnswered();
            await reader.SayEnd();
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // it has gone
        }
        return Results.Empty;
    }

    private void Close(LiveReader reader)
    {
        open.TryRemove(reader, out _);
        Interlocked.Decrement(ref count);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var stop =
            lifetime.ApplicationStopping.Register(() => EachOpen(reader => reader.End(LiveReader.Draining)));
        using var timer = new PeriodicTimer(Heartbeats);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) EachOpen(reader => reader.Hand(LiveText.Heartbeat));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // the process stops
        }
    }

    private void EachOpen(Action<LiveReader> act)
    {
        foreach (var (reader, _) in open) act(reader);
    }
}
