using Tally.Silo.Storage;

namespace Tally.Silo.Http.Visits;

/// <summary>Part of a list of fingerprints.</summary>
/// <param name="Fingerprints">In the list's order.</param>
/// <param name="Next">The <c>after</c> of the next page; absent where this page was not full.</param>
public sealed record FingerprintsPage(IReadOnlyList<FingerprintSummary> Fingerprints, string? Next)
{
    internal static FingerprintsPage Of(FingerprintOrder order, IReadOnlyList<FingerprintSummary> page, int size) =>
        new(page, page.Count == size ? FingerprintCursor.Write(PlaceOf(order, page[^1])) : null);

    private static FingerprintPlace PlaceOf(FingerprintOrder order, FingerprintSummary last) => new(order, order switch
    {
        FingerprintOrder.Recent => last.LastSeen.Ticks,
        FingerprintOrder.First => last.FirstSeen.Ticks,
        _ => last.Total,
    }, last.Fingerprint);
}
