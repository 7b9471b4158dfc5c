namespace Tally.Client.Sending;

/// <summary>How long to wait before the next try.</summary>
internal static class RetryDelay
{
    private const int DoublingsMax = 20;

    // Clients that were refused together do not come back together.
    private const double JitterMax = 0.5, RetryAfterJitterMax = 0.1;

    private static readonly TimeSpan RetryAfterMax = TimeSpan.FromHours(1);

    /// <param name="failed">Tries that have failed in a row: 1 or more.</param>
    /// <param name="retryAfter">What the server asks for.</param>
    /// <param name="chance">From 0 to 1.</param>
    public static TimeSpan After(int failed, TimeSpan first, TimeSpan max, TimeSpan? retryAfter, double chance)
    {
        var doubled = first * Math.Pow(2, Math.Min(failed - 1, DoublingsMax));
        var delay = (doubled < max ? doubled : max) * (1 - JitterMax * chance);
        if (retryAfter is not { } asked) return delay;
        asked = (asked < RetryAfterMax ? asked : RetryAfterMax) * (1 + RetryAfterJitterMax * chance);
        return asked > delay ? asked : delay;
    }
}
