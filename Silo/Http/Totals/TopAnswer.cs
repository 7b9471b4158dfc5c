namespace Tally.Silo.Http.Totals;

/// <summary>Those that have most of something.</summary>
/// <param name="Of">products, actions or fingerprints.</param>
/// <param name="By">events, uniques or newFingerprints.</param>
/// <param name="From">UTC: as asked for, or what it is without that.</param>
/// <param name="To">Likewise: the first moment that does not belong.</param>
/// <param name="Top">The largest first.</param>
public sealed record TopAnswer(string Of, string By, DateTime From, DateTime To, IReadOnlyList<TopEntry> Top);

/// <summary>One of them.</summary>
/// <param name="Product">Of products: its name.</param>
/// <param name="Action">Of actions: its name.</param>
/// <param name="Events">Events.</param>
/// <param name="NewFingerprints">
/// Of a product, the fingerprints that are new to it; of an action, those that began with it. Absent of uniques over several days.
/// </param>
/// <param name="UniqueFingerprints">Different fingerprints; only of a product on one UTC day, or by uniques over several.</param>
public sealed record TopEntry(string? Product, string? Action, long Events, long? NewFingerprints, long? UniqueFingerprints)
{
    /// <summary>Of fingerprints: its name.</summary>
    public string? Fingerprint { get; init; }

    /// <summary>Of fingerprints, UTC: its earliest event among these.</summary>
    public DateTime? FirstSeen { get; init; }

    /// <summary>Of fingerprints, UTC: its latest event among these.</summary>
    public DateTime? LastSeen { get; init; }
}
