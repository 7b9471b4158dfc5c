using Tally.Grains;

namespace Tally.Silo.Storage;

/// <summary>The attempt that counts of those that a fingerprint began on one day.</summary>
/// <param name="Funnel">The funnel's number.</param>
/// <param name="Day">Of the first step.</param>
/// <param name="Fingerprint">Whose.</param>
/// <param name="Reached">UTC: the time of its last step.</param>
/// <param name="Sequence">The sequence of the event of its last step.</param>
/// <param name="Times">Microseconds from the first step to each one, itself included.</param>
internal sealed record FunnelVisit(
    int Funnel, DateOnly Day, string Fingerprint, DateTime Reached, long Sequence, long[] Times);

/// <summary>
/// Folds fingerprints' events into a kept funnel: for each day with a first step, the attempt that counts of those that
/// began on it. The one that counts of several days is then the one that counts of these.
/// </summary>
/// <param name="add">Takes what the fold makes.</param>
internal sealed class FunnelFold(KeptFunnel funnel, Calendar calendar, Action<FunnelVisit> add)
{
    private readonly FunnelMatcher matcher = new(funnel.Steps);
    private readonly Queue<(DateOnly Day, FunnelAttempts Attempts)> days = new(); // that may still go on
    private readonly Stack<FunnelAttempts> free = new();
    private (DateOnly Day, FunnelAttempts Attempts)? newest;
    private string? fingerprint;
    private long number;

    /// <summary>Whether events are needed with their properties.</summary>
    public bool ReadsProperties => matcher.ReadsProperties;

    /// <summary>The next event, by fingerprint, then time and sequence.</summary>
    public void Add(string of, long sequence, DateTime occurred, string action, string product, string? json)
    {
        if (of != fingerprint) Finish();
        fingerprint = of;
        if ((funnel.Product ?? product) != product) return;
        var isOf = matcher.Match(action, json);
        if (isOf == 0) return;
        var (day, time) = (calendar.DayOf(occurred), occurred.Ticks);
        while (days.TryPeek(out var oldest) && oldest.Day < day && oldest.Attempts.IsOver(time)) Leave();
        foreach (var (_, attempts) in days) attempts.Follow(isOf, time, sequence);
        if (!FunnelMatcher.IsFirst(isOf)) return;
        if (newest is not var (newestDay, today) || newestDay != day)
        {
            today = free.TryPop(out var one) ? one : new(funnel.Steps.Count, funnel.Within);
            newest = (day, today);
            days.Enqueue((day, today));
        }
        today.Begin(++number, time, sequence);
    }

    /// <summary>The fingerprint has no more events.</summary>
    public void Finish()
    {
        while (days.Count > 0) Leave();
        newest = null;
    }

    private void Leave()
    {
        var (day, attempts) = days.Dequeue();
        var best = attempts.Best;
        add(new(funnel.Id, day, fingerprint!, new(best.Times[best.Length - 1], DateTimeKind.Utc), best.Last,
            [.. best.Times.Take(best.Length).Select(time => (time - best.Times[0]) / TimeSpan.TicksPerMicrosecond)]));
        attempts.Clear();
        free.Push(attempts);
    }
}
