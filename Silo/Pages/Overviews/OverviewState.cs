using Microsoft.AspNetCore.WebUtilities;
using Tally.Contracts;
using Tally.Silo.Http;
using Tally.Silo.Http.Breakdowns;

namespace Tally.Silo.Pages.Overviews;

/// <summary>What the overview shows. All of it is in the page's address.</summary>
public sealed record OverviewState
{
    public const string Usual = "30d", All = "all", Dates = "dates";

    /// <summary>The ranges by their names in the address.</summary>
    public static readonly IReadOnlyList<string> Ranges = ["today", "yesterday", "7d", Usual, "90d", "12mo", All];

    /// <summary>What a range may be compared with.</summary>
    public static readonly IReadOnlyList<string> Comparisons = ["previous", "year", "none"];

    /// <summary>Where the chart's points may begin, and of how many days a range they are for.</summary>
    public static readonly IReadOnlyList<(string Name, int DaysMin, int DaysMax)> Intervals =
        [("hour", 1, 14), ("day", 1, 800), ("week", 14, 7_300), ("month", 60, int.MaxValue)];

    // No database keeps the first and the last moment of the calendar, and an earlier range has to fit before.
    private static readonly DateOnly Earliest = new(1900, 1, 1), Latest = new(2200, 1, 1);

    /// <summary>The page's path: that of a shared view, or the usual one.</summary>
    public string Home { get; init; } = "/";

    /// <summary>Whether people without a key see it: one product, and nothing that can be changed.</summary>
    public bool IsShared => Home != "/";

    /// <summary>One of <see cref="Ranges"/>, or <see cref="Dates"/>.</summary>
    public string Range { get; init; } = Usual;

    /// <summary>Of a range of dates: its first and its last day.</summary>
    public DateOnly First { get; init; }

    /// <inheritdoc cref="First"/>
    public DateOnly Last { get; init; }

    /// <summary>One of <see cref="Comparisons"/>.</summary>
    public string Compare { get; init; } = Comparisons[0];

    /// <summary>One of <see cref="Intervals"/>; null for what fits best.</summary>
    public string? Interval { get; init; }

    /// <summary>Only this product; null for all.</summary>
    public string? Product { get; init; }

    /// <summary>Only this action. Not with a filter: the API counts dimensions over all actions.</summary>
    public string? Action { get; init; }

    /// <summary>Only this value, as the API takes it: <c>path:/pricing</c>.</summary>
    public string? Filter { get; init; }

    /// <summary>The dimension of <see cref="Filter"/>.</summary>
    public string? FilterDimension => Filter?.Split(':')[0];

    /// <summary>The value of <see cref="Filter"/>.</summary>
    public string? FilterValue => Filter?[(Filter.IndexOf(':', StringComparison.Ordinal) + 1)..];

    /// <summary>What the API is asked to compare with; null for nothing.</summary>
    public string? ComparedWith => Compare == "none" || Range == All ? null : Compare;

    /// <summary>Reads an address. What cannot be is as if it were not there.</summary>
    internal static OverviewState Parse(IQueryCollection query, Dimensions dimensions, Limits limits)
    {
        string? Word(string name, IEnumerable<string> words) =>
            query.One(name) is { } word && words.Contains(word) ? word : null;
        string? Name(string field, int bytesMax) =>
            query.One(field) is { } name && EventFields.CheckText(field, name, bytesMax) is null ? name : null;

        var (first, last) = (Day(query.One("first")), Day(query.One("last")));
        var areDates = first <= last;
        var filter = query.One("filter") is { } text && !text.Contains('\0', StringComparison.Ordinal)
            && dimensions.ParseFilter(text, out _) is null ? text : null;
        return new()
        {
            Range = areDates ? Dates : Word("range", Ranges) ?? Usual,
            First = areDates ? first!.Value : default,
            Last = areDates ? last!.Value : default,
            Compare = Word("compare", Comparisons) ?? Comparisons[0],
            Interval = Word("interval", Intervals.Select(one => one.Name)),
            Product = Name("product", limits.ProductBytesMax),
            Action = filter is null ? Name("action", limits.ActionBytesMax) : null,
            Filter = filter,
        };
    }

    /// <summary>Its days, without the last one.</summary>
    /// <param name="begin">The first day with an event.</param>
    public (DateOnly First, DateOnly End) DaysAt(DateOnly today, DateOnly begin) => Range switch
    {
        "today" => (today, today.AddDays(1)),
        "yesterday" => (today.AddDays(-1), today),
        "7d" => (today.AddDays(-6), today.AddDays(1)),
        "90d" => (today.AddDays(-89), today.AddDays(1)),
        "12mo" => (today.AddDays(-364), today.AddDays(1)),
        All => (begin < today ? begin : today, today.AddDays(1)),
        Dates => (First, Last.AddDays(1)),
        _ => (today.AddDays(-29), today.AddDays(1)),
    };

    /// <summary>The intervals that fit a range of so many days. Dimensions are counted by the day.</summary>
    public IEnumerable<string> IntervalsFor(int days) => Intervals
        .Where(one => days >= one.DaysMin && days <= one.DaysMax && (one.Name != "hour" || Filter is null))
        .Select(one => one.Name);

    /// <summary>The one that is shown.</summary>
    public string IntervalFor(int days) => Interval is { } asked && IntervalsFor(days).Contains(asked) ? asked
        : days switch
        {
            <= 3 when Filter is null => "hour",
            <= 366 => "day",
            <= 1_500 => "week",
            _ => "month",
        };

    /// <summary>What the address says, by its names. What is usual is not in it.</summary>
    public IEnumerable<KeyValuePair<string, string?>> Fields()
    {
        IEnumerable<(string Name, string? Value)> all =
        [
            ("range", Range is Usual or Dates ? null : Range),
            ("first", Range == Dates ? PageQuery.TextOf(First) : null),
            ("last", Range == Dates ? PageQuery.TextOf(Last) : null),
            ("compare", Compare == Comparisons[0] ? null : Compare), ("interval", Interval),
            ("product", IsShared ? null : Product), ("action", Action), ("filter", Filter),
        ];
        return all.Where(one => one.Value is not null).Select(one => KeyValuePair.Create(one.Name, one.Value));
    }

    /// <summary>The page's address with this state.</summary>
    /// <param name="more">What else it says.</param>
    public string ToAddress(params IEnumerable<(string Name, string? Value)> more) => AddressOf(Home, more);

    /// <summary>The address of a list as a file.</summary>
    public string ToCsvAddress(string list) => AddressOf(Home + "list.csv", [("panel", list)]);

    private string AddressOf(string path, IEnumerable<(string Name, string? Value)> more) =>
        QueryHelpers.AddQueryString(path, Fields().Concat(
            more.Where(one => one.Value is not null).Select(one => KeyValuePair.Create(one.Name, one.Value))));

    private static DateOnly? Day(string? text) =>
        PageQuery.ParseDay(text) is { } day && day >= Earliest && day < Latest ? day : null;
}
