using Tally.Silo.Http.Totals;

namespace Tally.Silo.Http.Visits;

/// <summary>What of GET /api/top comes from visits: the most active fingerprints, and products by their different ones over days.</summary>
internal static class TopVisits
{
    public static Task<IResult> Fingerprints(
        this FreshVisits visits, TimeRange range, string? product, int limit, CancellationToken cancellation) => visits.Ask(
        (storage, ended) => storage.TopFingerprints(range.Days.First, range.Days.End, product, limit, ended),
        top => Answer("fingerprints", "events", range, top.Select(one =>
            new TopEntry(null, null, one.Total, null, null) { Fingerprint = one.Fingerprint, FirstSeen = one.FirstSeen, LastSeen = one.LastSeen })), cancellation);

    public static Task<IResult> ProductsByUniques(
        this FreshVisits visits, TimeRange range, string? product, int limit, CancellationToken cancellation) => visits.Ask(
        (storage, ended) => storage.TopUniques(range.Days.First, range.Days.End, product, limit, ended),
        top => Answer("products", "uniques", range, top.Select(one => new TopEntry(one.Product, null, one.Events, null, one.UniqueFingerprints))),
        cancellation);

    private static JsonAnswer<TopAnswer> Answer(string of, string by, TimeRange range, IEnumerable<TopEntry> top) =>
        new(new(of, by, range.From, range.To, [.. top]), HttpJson.Default.TopAnswer);
}
