using System.Diagnostics;

namespace Tally.Bench.Client;

/// <summary>How long each answer took. All are kept (8 bytes each), so percentiles are exact.</summary>
internal sealed class Latencies
{
    private readonly List<long> ticks = new(1 << 16);
    private bool sorted;

    public int Count => ticks.Count;

    /// <param name="elapsed">Ticks of <see cref="Stopwatch"/>.</param>
    public void Add(long elapsed)
    {
        ticks.Add(elapsed);
        sorted = false;
    }

    /// <summary>The smallest latency that at least this share of all does not exceed, in milliseconds.</summary>
    /// <param name="share">Above 0, at most 1.</param>
    public double Milliseconds(double share)
    {
        if (ticks.Count == 0) return double.NaN;
        if (!sorted) ticks.Sort();
        sorted = true;
        var rank = (int)Math.Ceiling(Math.Round(share * ticks.Count, 6)); // 0.999 * 1000 is not quite 999
        return ticks[rank - 1] * 1_000.0 / Stopwatch.Frequency;
    }
}
