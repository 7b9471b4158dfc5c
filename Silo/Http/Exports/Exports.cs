using Tally.Contracts;

namespace Tally.Silo.Http.Exports;

/// <summary>
/// How many exports there are at once, and when they end at the latest: each is cut off when the drain is over. That fails
/// nobody's request for good, since an export goes on after the last row that was read.
/// </summary>
internal sealed class Exports : IDisposable
{
    private readonly SemaphoreSlim places;
    private readonly CancellationTokenSource cut = new();
    private readonly CancellationTokenRegistration stopping;

    public Exports(Limits limits, IHostApplicationLifetime lifetime)
    {
        places = new(limits.ExportsMax);
        stopping = lifetime.ApplicationStopping.Register(() => cut.CancelAfter(limits.DrainMilliseconds));
    }

    /// <summary>When no export may go on.</summary>
    public CancellationToken Cut => cut.Token;

    /// <returns>A place, to dispose when done; null where all are taken.</returns>
    public IDisposable? TryBegin() => places.Wait(0) ? new Place(places) : null;

    public void Dispose()
    {
        stopping.Dispose();
        cut.Dispose();
        places.Dispose();
    }

    private sealed class Place(SemaphoreSlim places) : IDisposable
    {
        public void Dispose() => places.Release();
    }
}
