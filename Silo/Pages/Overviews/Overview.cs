using Tally.Silo.Http.Totals;
using Tally.Silo.Storage;

namespace Tally.Silo.Pages.Overviews;

/// <param name="Then">In the range that it is compared with; null without one.</param>
public sealed record Figures(double Now, double? Then);

/// <summary>Both are asked for together.</summary>
public sealed record SessionFigures(Figures Sessions, Figures? BounceShare);

/// <summary>The answers that the overview shows.</summary>
/// <param name="Totals">By hour or day.</param>
/// <param name="Points">The same by the interval that is shown.</param>
/// <param name="Interval">hour, day, week or month.</param>
/// <param name="Days">How many days the range has.</param>
/// <param name="Annotations">Of the range.</param>
/// <param name="Lists">What there was most of.</param>
/// <param name="IsEmpty">Whether nothing was ever recorded.</param>
public sealed record Overview(TotalsAnswer Totals, IReadOnlyList<ChartPoint> Points, string Interval, int Days,
    Figures Events, Shown<Figures> Uniques, Shown<Figures> New, Shown<SessionFigures> Sessions, Shown<Figures> Present,
    Shown<IReadOnlyList<Annotation>> Annotations, IReadOnlyList<OverviewList> Lists, bool IsEmpty);

/// <param name="From">UTC.</param>
/// <param name="To">UTC: the end, which is not part of it.</param>
/// <param name="Uniques">Null if they are not known by this interval.</param>
/// <param name="Then">Events of the range that it is compared with; null without one.</param>
public sealed record ChartPoint(DateTime From, DateTime To, long Events, long? Uniques, long? Then);

/// <summary>The names with the most events.</summary>
/// <param name="Of">products, actions, or a dimension.</param>
public sealed record OverviewList(string Of, Shown<IReadOnlyList<OverviewRow>> Rows);

/// <param name="Name">As clients wrote it; null for all others together.</param>
/// <param name="Then">Events in the range that it is compared with; null without one.</param>
public sealed record OverviewRow(string? Name, long Events, long? Then);
