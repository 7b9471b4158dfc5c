namespace Tally.Silo.Storage;

internal static class Medians
{
    /// <param name="ticks">Lengths of time. They get sorted.</param>
    /// <returns>Of an even number, the middle between the middle two; null of none.</returns>
    public static TimeSpan? Find(long[] ticks)
    {
        if (ticks.Length == 0) return null;
        Array.Sort(ticks);
        var (below, above) = (ticks[(ticks.Length - 1) / 2], ticks[ticks.Length / 2]);
        return TimeSpan.FromTicks(below + (above - below) / 2);
    }
}
