using System.Globalization;
using Tally.Contracts;

namespace Tally.Silo.Webhooks;

/// <summary>When a firing is sent again.</summary>
internal sealed class RetrySchedule
{
    private static readonly TimeSpan RetryAfterMax = TimeSpan.FromHours(24);

    // Firings that failed together do not come back together.
    private const double JitterMax = 0.1;

    private readonly TimeSpan[] delays;

    public RetrySchedule(Limits limits) => delays = [.. limits.WebhookRetrySeconds.Split(',')
        .Select(text => TimeSpan.FromSeconds(int.Parse(text, CultureInfo.InvariantCulture)))];

    /// <summary>How long to wait.</summary>
    /// <param name="failed">Tries that have failed: 1 or more.</param>
    /// <param name="retryAfter">What the receiver asks for.</param>
    /// <param name="chance">From 0 to 1.</param>
    /// <returns>Null if it was the last try.</returns>
    public TimeSpan? After(int failed, TimeSpan? retryAfter, double chance)
    {
        if (failed > delays.Length) return null;
        var delay = delays[failed - 1];
        if (retryAfter is { } asked) delay = Max(delay, asked < RetryAfterMax ? asked : RetryAfterMax);
        return delay * (1 + JitterMax * chance);
    }

    private static TimeSpan Max(TimeSpan one, TimeSpan other) => one > other ? one : other;
}
