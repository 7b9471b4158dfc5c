using System.Threading.RateLimiting;
using Tally.Contracts;

namespace Tally.Silo.Http.Exports;

/// <summary>
/// Limits how many exports run at once, and cuts them off when the process has drained. A client loses nothing: it
/// continues after the last row that it read.
/// </summary>
internal sealed class RunningExports : IDisposable
{
    private readonly ConcurrencyLimiter limiter;
    private readonly CancellationTokenSource cutOff = new();
    private readonly CancellationTokenRegistration stopping;

    public RunningExports(Limits limits, IHostApplicationLifetime lifetime)
    {
        limiter = new(new() { PermitLimit = limits.ExportsMax });
        stopping = lifetime.ApplicationStopping.Register(() => cutOff.CancelAfter(limits.DrainMilliseconds));
    }

    /// <summary>Cancelled when no export may go on.</summary>
    public CancellationToken CutOff => cutOff.Token;

    /// <summary>A lease for one export, to be disposed when it ends. Not acquired if too many run.</summary>
    public RateLimitLease TryBegin() => limiter.AttemptAcquire();

    public void Dispose()
    {
        stopping.Dispose();
        cutOff.Dispose();
        limiter.Dispose();
    }
}
