using System.Globalization;
using Microsoft.AspNetCore.WebUtilities;

namespace Tally.Silo.Pages.Fingerprints;

/// <summary>What the page of a fingerprint shows, as its address says.</summary>
/// <param name="Of">The fingerprint.</param>
public sealed record FingerprintAddress(string Of)
{
    public const string Path = "/fingerprint";

    /// <summary>The newest day of the timeline; null for today.</summary>
    public DateOnly? Day { get; init; }

    /// <summary>The timeline begins behind this sequence.</summary>
    public long? After { get; init; }

    /// <summary>The timeline begins with this sequence, and it is marked.</summary>
    public long? Event { get; init; }

    public bool IsNewest => this is { Day: null, After: null, Event: null };

    /// <returns>Null if no fingerprint is named. What else cannot be read is as if it were not there.</returns>
    internal static FingerprintAddress? Parse(IQueryCollection query) => query.One("of") is not { } of ? null : new(of)
    {
        Day = PageQuery.ParseDay(query.One("day")),
        After = Sequence(query.One("after")),
        Event = Sequence(query.One("event")),
    };

    public override string ToString()
    {
        var query = new Dictionary<string, string?> { ["of"] = Of };
        if (Day is { } day) query["day"] = PageQuery.TextOf(day);
        if (After is { } after) query["after"] = after.ToString(CultureInfo.InvariantCulture);
        if (Event is { } sequence) query["event"] = sequence.ToString(CultureInfo.InvariantCulture);
        return QueryHelpers.AddQueryString(Path, query);
    }

    private static long? Sequence(string? text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var one) && one > 0 ? one : null;
}
