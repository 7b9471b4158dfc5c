using System.Diagnostics;

namespace Tally.Bench.Client;

/// <summary>
/// When requests are due. At a fixed rate only the clock decides: a request that had to wait for a free connection
/// keeps its due time, so a server that stalls pays for all that it kept waiting.
/// </summary>
/// <param name="start">A timestamp of <see cref="Stopwatch"/>.</param>
/// <param name="perSecond">
/// Requests a second; null for a closed loop, where the next is due when one is answered.
/// </param>
internal sealed class Pace(long start, double? perSecond)
{
    private long taken;

    /// <summary>Takes the next request if it is due.</summary>
    /// <param name="due">When it was or will be due.</param>
    public bool TryTake(long now, out long due)
    {
        due = perSecond is { } rate ? start + (long)(taken * Stopwatch.Frequency / rate) : now;
        if (due > now) return false;
        taken++;
        return true;
    }
}
