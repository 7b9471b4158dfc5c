using Tally.Grains.EventLog;

namespace Tally.Silo.Storage;

/// <summary>
/// How far one fingerprint gets. An attempt begins with each event of the first step, and goes on with the first event
/// after that of the second step, and so on. A fingerprint counts with the attempt that gets furthest; of several, with
/// the one that got there first, and of those that got there with the same event, with the latest.
/// </summary>
/// <remarks>
/// Of all attempts that have got to the same step, the one that began last has the most time left for the next, and
/// meets the same events. So one attempt a step is kept, however many events a fingerprint has.
/// </remarks>
/// <param name="steps">Of the funnel.</param>
/// <param name="within">The longest time from the first step to each other one.</param>
internal sealed class FunnelAttempts(int steps, TimeSpan within)
{
    private readonly FunnelAttempt[] latest = [.. Enumerable.Range(0, steps).Select(_ => new FunnelAttempt(steps))];

    /// <summary>The one that counts.</summary>
    public FunnelAttempt Best { get; } = new(steps);

    /// <summary>Goes on with the next event, by time and sequence, as far as an attempt has begun.</summary>
    /// <param name="isOf">The steps that it can be: see <see cref="FunnelMatcher"/>.</param>
    /// <param name="time">Ticks.</param>
    /// <param name="sequence">The event's.</param>
    public void Follow(ulong isOf, long time, long sequence)
    {
        // From the last step on, so that an event is one step of an attempt and not several.
        for (var step = steps - 1; step > 0; step--)
        {
            var before = latest[step - 1];
            if ((isOf >> step & 1) == 0 || before.Start <= latest[step].Start || IsOver(before, time)) continue;
            latest[step].Follow(before, step, time, sequence);
            if (Best.Length <= step) Best.Follow(latest[step], step, time, sequence);
        }
    }

    /// <summary>Begins an attempt with the event that the others went on with.</summary>
    /// <param name="number">Of the event; they rise.</param>
    /// <inheritdoc cref="Follow"/>
    public void Begin(long number, long time, long sequence)
    {
        latest[0].Begin(number, time, sequence);
        if (Best.Length == 0) Best.Begin(number, time, sequence);
    }

    /// <summary>Whether no attempt can go on at this time.</summary>
    public bool IsOver(long time) => IsOver(latest[0], time);

    private bool IsOver(FunnelAttempt attempt, long time) => time - attempt.Times[0] > within.Ticks;

    public void Clear()
    {
        Best.Clear();
        foreach (var attempt in latest) attempt.Clear();
    }
}

/// <summary>A fingerprint's way through the steps of a funnel.</summary>
internal sealed class FunnelAttempt(int steps)
{
    /// <summary>Ticks of each step so far.</summary>
    public long[] Times { get; } = new long[steps];

    /// <summary>The number of its first event; 0 if it has not begun.</summary>
    public long Start { get; private set; }

    /// <summary>Steps so far.</summary>
    public int Length { get; private set; }

    /// <summary>The sequence of its last event.</summary>
    public long Last { get; private set; }

    public void Begin(long number, long time, long sequence) =>
        (Start, Length, Times[0], Last) = (number, 1, time, sequence);

    /// <summary>Becomes another attempt, with an event of this step after the steps before.</summary>
    public void Follow(FunnelAttempt other, int step, long time, long sequence)
    {
        Array.Copy(other.Times, Times, step);
        (Start, Length, Times[step], Last) = (other.Start, step + 1, time, sequence);
    }

    public void Clear() => (Start, Length) = (0, 0);
}

/// <summary>Says which steps of a funnel an event can be: a bit for each, the lowest for the first.</summary>
/// <param name="steps">At most 64.</param>
/// <param name="other">A property whose value is asked for too.</param>
internal sealed class FunnelMatcher(IReadOnlyList<FunnelStep> steps, string? other = null)
{
    private readonly DimensionSet properties = new(0, [.. steps.SelectMany(step => step.Filters)
        .Select(filter => filter.Dimension).Concat(other is null ? [] : [other]).Distinct()]);
    private readonly List<DimensionValue> values = [];

    /// <summary>Whether events are needed with their properties.</summary>
    public bool ReadsProperties => properties.Names.Count > 0;

    public static bool IsFirst(ulong isOf) => (isOf & 1) != 0;

    public ulong Match(string action, string? json)
    {
        var (isOf, isRead) = (0UL, false);
        for (var step = 0; step < steps.Count; step++)
        {
            if (steps[step].Action != action) continue;
            if (!isRead) properties.Collect(json, values);
            isRead = true;
            if (HasAll(steps[step].Filters)) isOf |= 1UL << step;
        }
        return isOf;
    }

    private bool HasAll(IReadOnlyList<DimensionValue> filters)
    {
        foreach (var filter in filters)
            if (!values.Contains(filter)) return false;
        return true;
    }

    /// <summary>The last event's value, if it is a step; empty for none.</summary>
    public string ValueOf(string? property)
    {
        foreach (var one in values)
            if (one.Dimension == property) return one.Value;
        return "";
    }
}
