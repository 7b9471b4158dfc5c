using Tally.Silo.Http.Totals;

namespace Tally.Silo.Http.Visits;

/// <summary>What of GET /api/top comes from visits: the most active fingerprints, and products by their different ones over days.</summary>
internal static class TopVisits
{
    public static Task<IResult> Fingerprints(this FreshVisits visits, TimeRange range, string? product, int limit) => visits.Ask(
        storage => storage.TopFingerprints(range.Days.First, range.Days.End, product, limit),
        top => Answer("fingerprints", "events", range, top.Select(one =>
            new TopEntry(null, null, one.Total, null, null) { Fingerprint = one.Fingerprint, FirstSeen = one.FirstSeen, LastSeen = one.LastSeen })));

    public static Task<IResult> ProductsByUniques(this FreshVisits visits, TimeRange range, string? product, int limit) => visits.Ask(
        storage => storage.TopUniques(range.Days.First, range.Days.End, product, limit),
        top => Answer("products", "uniques", range, top.Select(one => new TopEntry(one.Product, null, one.Events, null, one.UniqueFingerprints))));

    private static JsonAnswer<TopAnswer> Answer(string of, string by, TimeRange range, IEnumerable<TopEntry> top) =>
        new(new(of, by, range.From, range.To, [.. top]), HttpJson.Default.TopAnswer);
}
