using System.Diagnostics;
using System.Runtime.CompilerServices;
using Polly;
using Polly.Retry;
using Polly.Timeout;
using Tally.Contracts;
using Tally.Grains;
using Tally.Grains.EventLog;
using Tally.Grains.Peers;

namespace Tally.Silo.Http;

/// <summary>
/// Brings requests to grains. An event's id is fixed before it comes here, so sending it again is safe: what a dying
/// silo or a stepping-down grain leaves open is asked again until it is known, or the deadline passes.
/// </summary>
internal sealed partial class FrontEnd(FingerprintGrains grains, ResidentFingerprints residents, Newcomers newcomers,
    Peers peers, Limits limits, ILogger<FrontEnd> logger)
{
    /// <summary>Time for one request, its retries included; then 503. Load balancers should wait longer.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    // An answer that has not come by then may be lost. If it is only late, asking again under the same id does no harm.
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(3);

    private readonly LogThrottle givenUp = new();
    private int requests; // by the weight of their events

    private readonly ResiliencePipeline<RecordResult> recording = Retrying<RecordResult>(IsOpen);
    private readonly ResiliencePipeline<bool> recordingAll = Retrying<bool>(allKnown => !allKnown);
    private readonly ResiliencePipeline<ViewResult> viewing = Retrying<ViewResult>(
        result => result.Outcome is ViewOutcome.SteppedDown);
    private readonly ResiliencePipeline<EraseResult> erasing = Retrying<EraseResult>(
        result => result.Outcome is EraseOutcome.SteppedDown or EraseOutcome.Unknown);

    /// <summary>Records one event. Never throws for what a fault can do: then the result says what is known.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))] // every post waits here
    public async ValueTask<RecordResult> Record(string fingerprint, Event @event)
    {
        var weight = Math.Min(@event.Weight, limits.RequestsMax);
        if (Interlocked.Add(ref requests, weight) > limits.RequestsMax)
        {
            Interlocked.Add(ref requests, -weight);
            return new(RecordOutcome.Overloaded, 0);
        }
        try
        {
            var begun = Stopwatch.GetTimestamp();
            try // the ordinary way, without the pipeline's price
            {
                var result = await RecordOnce(fingerprint, @event);
                if (!IsOpen(result)) return result;
            }
            catch (Exception exception) when (IsTransient(exception))
            {
                // open still
            }
            using var rest = RestOfDeadline(begun);
            return await recording.ExecuteAsync(static (state, cancellation) =>
                state.self.Call(state.fingerprint, grain => grain.Record(state.@event), AnswerPatience, cancellation),
                (self: this, fingerprint, @event), rest.Token);
        }
        catch (Exception exception) when (IsTransient(exception))
        {
            if (givenUp.TryPass(out var more)) LogGaveUp(exception, more);
            return new(RecordOutcome.Unknown, 0);
        }
        finally
        {
            Interlocked.Add(ref requests, -weight);
        }
    }

    // In this silo's memory without a message, on another silo in a group, else by a message of its own.
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<RecordResult> RecordOnce(string fingerprint, Event @event)
    {
        if (FindOrEnter(fingerprint, events: 1) is { } here)
        {
            using var span = CommitTraces.StartCall(nameof(here.Record));
            return await InTime(new ValueTask<RecordResult>(here.Record(@event)));
        }
        var id = grains.Id(fingerprint);
        if (peers.Owner(id) is not { } peer) return await grains.Get(id).Record(@event);
        using var call = CommitTraces.StartCall(nameof(peer.Record));
        return (await peer.Record(fingerprint, [@event]).WaitAsync(Deadline))[0];
    }

    private Fingerprint? FindOrEnter(string fingerprint, int events) =>
        residents.Find(fingerprint) ?? newcomers.TryEnter(fingerprint, events);

    /// <summary>
    /// Records many events, those of one fingerprint in one call of its grain, and sends again only what a call leaves
    /// open. Never throws for what a fault can do. Does not count as a request: whoever sends many sees to their
    /// number.
    /// </summary>
    /// <param name="shares">By fingerprint. Their places are those from 0 to <paramref name="places"/>, or some of
    /// them.</param>
    /// <param name="places">Length of what is returned.</param>
    /// <returns>One result for each event, at its place.</returns>
    public async ValueTask<RecordResult[]> RecordAll(ILookup<string, PlacedEvent> shares, int places)
    {
        var begun = Stopwatch.GetTimestamp();
        var results = new RecordResult[places];
        Array.Fill(results, new(RecordOutcome.Unknown, 0));
        var here = new List<(Fingerprint Fingerprint, IGrouping<string, PlacedEvent> Share)>();
        var sending = new List<Task>();
        foreach (var share in shares)
            if (FindOrEnter(share.Key, share.Count()) is { } fingerprint) here.Add((fingerprint, share));
            else sending.Add(Send(share.Key, [.. share], results, begun));
        await RecordHere(here, results);
        foreach (var (_, share) in here)
            if (share.Any(one => IsOpen(results[one.Place]))) sending.Add(Send(share.Key, [.. share], results, begun));
        await Task.WhenAll(sending);
        return results;
    }

    private static async ValueTask RecordHere(
        List<(Fingerprint Fingerprint, IGrouping<string, PlacedEvent> Share)> shares, RecordResult[] results)
    {
        if (shares.Count == 0) return;
        using var span = CommitTraces.StartCall(nameof(Fingerprint.RecordAll));
        var pending = new PendingResults(results, shares.Sum(one => one.Share.Count()));
        foreach (var (fingerprint, share) in shares) fingerprint.RecordAll(share, pending);
        await pending.Wait(Deadline);
    }

    // One fingerprint's events, until each is known.
    private async Task Send(string fingerprint, PlacedEvent[] events, RecordResult[] results, long begun)
    {
        try
        {
            if (peers.Owner(grains.Id(fingerprint)) is { } peer)
            {
                using var call = CommitTraces.StartCall(nameof(peer.Record));
                var known = await peer.Record(fingerprint, [.. events.Select(one => one.Event)]).WaitAsync(Deadline);
                for (var i = 0; i < events.Length; i++) results[events[i].Place] = known[i];
                if (!Array.Exists(known, IsOpen)) return;
            }
            using var rest = RestOfDeadline(begun);
            await recordingAll.ExecuteAsync(static async (state, cancellation) =>
            {
                PlacedEvent[] open = [.. state.events.Where(one => IsOpen(state.results[one.Place]))];
                var known = await state.self.Call(state.fingerprint,
                    grain => grain.RecordAll([.. open.Select(one => one.Event)]), AnswerPatience, cancellation);
                for (var i = 0; i < open.Length; i++) state.results[open[i].Place] = known[i];
                return !Array.Exists(known, IsOpen);
            }, (self: this, fingerprint, events, results), rest.Token);
        }
        catch (Exception exception) when (IsTransient(exception))
        {
            if (givenUp.TryPass(out var more)) LogGaveUp(exception, more);
        }
    }

    /// <summary>What is committed of a fingerprint.</summary>
    public async ValueTask<ViewResult> View(string fingerprint)
    {
        try
        {
            if (residents.Find(fingerprint) is { } here)
            {
                using var span = CommitTraces.StartCall(nameof(here.View));
                if (await InTime(here.View()) is { Outcome: not ViewOutcome.SteppedDown } result) return result;
            }
            if (peers.Owner(grains.Id(fingerprint)) is { } peer)
            {
                using var call = CommitTraces.StartCall(nameof(peer.View));
                if (await peer.View(fingerprint).WaitAsync(Deadline) is { Outcome: not ViewOutcome.SteppedDown } view)
                    return view;
            }
            return await viewing.ExecuteAsync(static (state, cancellation) =>
                state.self.Call(state.fingerprint, static grain => grain.View(), AnswerPatience, cancellation),
                (self: this, fingerprint));
        }
        catch (Exception exception) when (IsTransient(exception))
        {
            if (givenUp.TryPass(out var more)) LogGaveUp(exception, more);
            return new(ViewOutcome.Unavailable, null);
        }
    }

    /// <summary>
    /// Removes everything that is kept of a fingerprint; null where that is open, and has to be tried again.
    /// </summary>
    public async ValueTask<Removed?> Erase(string fingerprint, bool suppress)
    {
        try
        {
            var result = await erasing.ExecuteAsync(static (state, cancellation) =>
                state.self.Call(state.fingerprint, grain => grain.Erase(state.suppress), Deadline, cancellation),
                (self: this, fingerprint, suppress));
            return result.Removed;
        }
        catch (Exception exception) when (IsTransient(exception))
        {
            if (givenUp.TryPass(out var more)) LogGaveUp(exception, more);
            return null;
        }
    }

    // A first try's time-out need not be its own.
    private static CancellationTokenSource RestOfDeadline(long begun)
    {
        var rest = Deadline - Stopwatch.GetElapsedTime(begun);
        return new(rest > TimeSpan.Zero ? rest : TimeSpan.Zero);
    }

    private static bool IsOpen(RecordResult result) =>
        result.Outcome is RecordOutcome.SteppedDown or RecordOutcome.Unknown;

    private static ResiliencePipeline<T> Retrying<T>(Func<T, bool> isOpen) => new ResiliencePipelineBuilder<T>()
        .AddTimeout(Deadline)
        .AddRetry(new RetryStrategyOptions<T>
        {
            ShouldHandle = arguments => new(arguments.Outcome is { Exception: { } exception }
                ? IsTransient(exception) && exception is not TimeoutRejectedException
                : isOpen(arguments.Outcome.Result!)),
            MaxRetryAttempts = int.MaxValue, // the deadline ends it
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            Delay = TimeSpan.FromMilliseconds(10),
            MaxDelay = TimeSpan.FromMilliseconds(250),
        })
        .Build();

    // A call without a message: nothing else would end its wait, as the silo's response timeout does for those with
    // one.
    private static ValueTask<T> InTime<T>(ValueTask<T> call) =>
        call.IsCompletedSuccessfully ? call : new(call.AsTask().WaitAsync(Deadline));

    // By a message of its own, given up when its silo has gone. When Orleans hears that a silo is dead, it gives up
    // what waits for it, but not what it sends there later, on a connection that is still open.
    private async ValueTask<T> Call<T>(string fingerprint, Func<IFingerprintGrain, ValueTask<T>> ask,
        TimeSpan patience, CancellationToken cancellation)
    {
        var id = grains.Id(fingerprint);
        var gone = peers.Owner(id)?.Gone ?? CancellationToken.None;
        var call = ask(grains.Get(id));
        if (call.IsCompletedSuccessfully) return call.Result;
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellation, gone);
        return await call.AsTask().WaitAsync(patience, ended.Token);
    }

    // A silo that is leaving, or has left; a call whose answer did not come.
    private static bool IsTransient(Exception exception) => exception is
        TimeoutRejectedException or TimeoutException or Orleans.Runtime.OrleansException or OperationCanceledException;

    [LoggerMessage(LogLevel.Warning, "A request was given up ({More} more since the last line)")]
    private partial void LogGaveUp(Exception exception, long more);
}
