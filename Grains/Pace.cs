namespace Tally.Grains;

/// <summary>
/// Lets a fixed number a second pass, evenly: each caller gets a moment of its own and waits for it. After a pause the
/// first passes at once.
/// </summary>
/// <remarks>A timer counts whole milliseconds and a token bucket whole tokens: both would round the rate.</remarks>
public sealed class Pace(int perSecond, TimeProvider clock)
{
    private readonly Lock gate = new();
    private readonly long period = (clock.TimestampFrequency + perSecond - 1) / perSecond;
    private long next;

    /// <param name="waitingMax">How many may wait.</param>
    /// <param name="cancellation">Gives the wait up; its moment is not given to others.</param>
    /// <returns>True when its moment has come; false at once where more wait.</returns>
    public async ValueTask<bool> Wait(int waitingMax = int.MaxValue, CancellationToken cancellation = default)
    {
        TimeSpan wait;
        lock (gate)
        {
            var now = clock.GetTimestamp();
            var moment = Math.Max(next, now);
            if (moment - now > waitingMax * period) return false;
            next = moment + period;
            wait = clock.GetElapsedTime(now, moment);
        }
        // Up to a whole millisecond: a timer leaves out what is less, and would be early.
        if (wait > TimeSpan.Zero)
            await Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds)), clock, cancellation);
        return true;
    }
}
