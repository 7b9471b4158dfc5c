using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Tally.Client.Sending;
using Tally.Client.Waiting;

namespace Tally.Client;

/// <summary>
/// Sends events to Tally in the background. Each has an id, under which it is sent until Tally has acknowledged it, so
/// it counts once. All members may be called by any thread at any time.
/// </summary>
/// <remarks>
/// Events are sent in the order in which they were tracked. One that Tally asks to send later goes with the next
/// request. A process needs one client, which has one request under way.
/// </remarks>
public sealed class TallyClient : IDisposable, IAsyncDisposable
{
    private readonly TallyOptions options;
    private readonly TimeProvider clock;
    private readonly Backlog backlog;
    private readonly RefusalReport refusals;
    private readonly Sender sender;
    private readonly CancellationTokenSource ending = new();
    private readonly Task sending;

    /// <summary>Begins to send, first what an earlier process left in <see cref="TallyOptions.QueueFolder"/>.</summary>
    /// <exception cref="ArgumentException">An option is missing or out of range.</exception>
    public TallyClient(TallyOptions options, ILogger<TallyClient>? logger = null, TimeProvider? clock = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        ILogger log = logger ?? NullLogger<TallyClient>.Instance;
        this.options = options;
        this.clock = clock ?? TimeProvider.System;
        refusals = new(options.Refused, log);
        backlog = new(options, log);
        sender = new(backlog, new(options), refusals, options, log);
        // Nothing of whoever makes the client, such as a trace, belongs to what it does later.
        using var flow = ExecutionContext.IsFlowSuppressed() ? default(AsyncFlowControl?)
            : ExecutionContext.SuppressFlow();
        sending = Task.Run(() => sender.Run(ending.Token));
    }

    /// <summary>What has become of the events so far.</summary>
    public TallyFigures Figures => backlog.Figures;

    /// <inheritdoc cref="Track(TallyEvent)"/>
    /// <param name="action">What was done.</param>
    /// <param name="fingerprint">By whom.</param>
    /// <param name="properties">What is to be kept with it; see <see cref="TallyEvent.Properties"/>.</param>
    public bool Track(string action, string fingerprint, object? properties = null) =>
        Track(new TallyEvent(action, fingerprint) { Properties = properties });

    /// <summary>
    /// Takes an event to be sent, and returns at once: it waits neither for Tally nor for room. With
    /// <see cref="TallyOptions.QueueFolder"/> it is also with the operating system when this returns.
    /// </summary>
    /// <returns>
    /// False if it will not be sent: it cannot be written as JSON or is too large (<see cref="TallyOptions.Refused"/>
    /// is told), there is no room (<see cref="WhenFull.DropNewest"/>), or the client has been stopped.
    /// </returns>
    /// <exception cref="ArgumentNullException">The event, its action or its fingerprint is null.</exception>
    public bool Track(TallyEvent tracked)
    {
        ArgumentNullException.ThrowIfNull(tracked);
        ArgumentNullException.ThrowIfNull(tracked.Action);
        ArgumentNullException.ThrowIfNull(tracked.Fingerprint);
        var now = clock.GetUtcNow();
        var id = tracked.Id is { Length: > 0 } own ? own : Guid.CreateVersion7(now).ToString();
        if (EventJson.Write(tracked, id, now, options, out var line) is not { } refusal) return backlog.Add(id, line);
        backlog.CountRefused();
        refusals.Report(refusal);
        return false;
    }

    /// <summary>
    /// Sends what waits without waiting for more, and completes when none of the events tracked before waits any more:
    /// each is recorded, refused or dropped. While Tally is away, that takes until it is back.
    /// </summary>
    /// <exception cref="OperationCanceledException">It was cancelled. The events are sent all the same.</exception>
    public Task FlushAsync(CancellationToken cancellation = default)
    {
        var flushed = backlog.Flushed();
        sender.Hurry();
        return flushed.WaitAsync(cancellation);
    }

    /// <summary>
    /// Takes no more events, sends those that wait, and ends. If Tally does not take them, it tries again each second
    /// until it is cancelled, and the rest is dropped. With a <see cref="TallyOptions.QueueFolder"/> it tries once, and
    /// the rest stays there.
    /// </summary>
    /// <param name="cancellation">Ends the last tries. It throws nothing.</param>
    public async Task StopAsync(CancellationToken cancellation = default)
    {
        backlog.Close();
        sender.Stop();
        using (cancellation.UnsafeRegister(static client => ((TallyClient)client!).ending.Cancel(), this))
            await sending.ConfigureAwait(false);
    }

    /// <summary>
    /// Stops as <see cref="StopAsync"/> does, for at most <see cref="TallyOptions.StopTimeout"/>. If it was stopped
    /// before, this does nothing.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(options.StopTimeout);
        await StopAsync(patience.Token).ConfigureAwait(false);
    }

    /// <summary>
    /// Ends without sending what waits: without a <see cref="TallyOptions.QueueFolder"/> that is dropped. Prefer
    /// <see cref="DisposeAsync"/>.
    /// </summary>
    public void Dispose()
    {
        backlog.Close();
        ending.Cancel();
        backlog.End(); // at once, so that another client may have the folder
    }
}
