using Tally.Silo.Http.Totals;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Funnels;

/// <summary>How far fingerprints got through steps, in their order.</summary>
/// <param name="From">UTC: the start of the range, in which first steps happened.</param>
/// <param name="To">UTC: the end of the range, which is not part of it.</param>
/// <param name="TimeZone">In which days are.</param>
/// <param name="Within">The longest time from a first step to the steps after it.</param>
/// <param name="Steps">Of all fingerprints.</param>
/// <param name="Values">With breakdown, the most frequent values in the earliest first steps.</param>
/// <param name="Other">With breakdown, all other values together; absent if there are none.</param>
public sealed record FunnelAnswer(
    DateTime From, DateTime To, string TimeZone, string Within, IReadOnlyList<FunnelReach> Steps,
    IReadOnlyList<FunnelValue>? Values, FunnelValue? Other)
{
    internal static FunnelAnswer Create(FunnelQuestion question, TimeRange range, FunnelSums sums) => new(
        range.From, range.To, range.TimeZone, ShortDuration.Write(question.Within),
        FunnelReach.From(question, sums.All),
        question.By is null ? null
            : [.. sums.Values.Select(one => new FunnelValue(one.Value, FunnelReach.From(question, one.Steps)))],
        sums.Others is null ? null : new(null, FunnelReach.From(question, sums.Others)));
}

/// <param name="Value">The value in the earliest first step. Absent if that has none, and for all others.</param>
/// <param name="Steps">Of these fingerprints.</param>
public sealed record FunnelValue(string? Value, IReadOnlyList<FunnelReach> Steps);

/// <param name="Step">As asked for.</param>
/// <param name="Fingerprints">Different fingerprints that got so far.</param>
/// <param name="ShareOfFirst">Their share of those that did the first step, up to 1; absent if nobody did.</param>
/// <param name="ShareOfPrevious">
/// Their share of those that did the step before; absent for the first step, and if nobody did.
/// </param>
/// <param name="MedianSecondsSinceFirst">
/// The median of their times since the first step; absent for the first step, and if there are none.
/// </param>
/// <param name="MedianSecondsSincePrevious">The same since the step before.</param>
public sealed record FunnelReach(
    string Step, long Fingerprints, double? ShareOfFirst, double? ShareOfPrevious, double? MedianSecondsSinceFirst,
    double? MedianSecondsSincePrevious)
{
    internal static IReadOnlyList<FunnelReach> From(FunnelQuestion question, IReadOnlyList<FunnelStepSum> sums) =>
    [
        .. sums.Select((sum, step) => new FunnelReach(question.Steps[step].Text, sum.Fingerprints,
            Share(sum, sums[0]), step == 0 ? null : Share(sum, sums[step - 1]), sum.SinceFirst?.TotalSeconds,
            sum.SincePrevious?.TotalSeconds)),
    ];

    private static double? Share(FunnelStepSum part, FunnelStepSum whole) =>
        whole.Fingerprints == 0 ? null : (double)part.Fingerprints / whole.Fingerprints;
}
