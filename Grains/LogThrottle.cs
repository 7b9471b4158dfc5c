namespace Tally.Grains;

/// <summary>
/// Lets one log line of a kind through in each interval and counts the others: a database that is away fails every
/// batch and every request, hundreds of times a second, and one line says it all.
/// </summary>
public sealed class LogThrottle
{
    // Often enough to see that it goes on, seldom enough to find the lines around it.
    private const long IntervalMilliseconds = 10_000;

    private readonly Lock gate = new();
    private long? passedAt;
    private long held;

    /// <param name="heldBack">Lines held back since the last one.</param>
    public bool TryPass(out long heldBack)
    {
        lock (gate)
        {
            heldBack = held;
            var now = Environment.TickCount64;
            if (now - passedAt < IntervalMilliseconds)
            {
                held++;
                return false;
            }
            (passedAt, held) = (now, 0);
            return true;
        }
    }
}
