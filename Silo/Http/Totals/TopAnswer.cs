namespace Tally.Silo.Http.Totals;

/// <summary>The products, actions or fingerprints with most of something.</summary>
/// <param name="Of">products, actions or fingerprints.</param>
/// <param name="By">events, uniques or newFingerprints.</param>
/// <param name="From">UTC: the start of the range.</param>
/// <param name="To">UTC: the end of the range, which is not part of it.</param>
/// <param name="TimeZone">In which days are.</param>
/// <param name="Top">The entries, largest first.</param>
public sealed record TopAnswer(
    string Of, string By, DateTime From, DateTime To, string TimeZone, IReadOnlyList<TopEntry> Top)
{
    /// <summary>With compare, the earlier range.</summary>
    public ComparedRange? Compared { get; init; }

    /// <param name="earlier">The range to compare with, or null.</param>
    /// <param name="earlierTop">Its entries, at least those that are in <paramref name="top"/> too.</param>
    internal static TopAnswer Create(string of, string by, TimeRange range, IEnumerable<TopEntry> top,
        TimeRange? earlier, IEnumerable<TopEntry> earlierTop)
    {
        var answer = new TopAnswer(of, by, range.From, range.To, range.TimeZone, [.. top])
        {
            Compared = earlier.ToAnswer(),
        };
        if (earlier is null) return answer;
        var known = earlierTop.ToDictionary(entry => entry.Key);
        TopEntry Compare(TopEntry entry) => entry with { Compared = entry.With(known.GetValueOrDefault(entry.Key)) };
        return answer with { Top = [.. answer.Top.Select(Compare)] };
    }
}

/// <summary>A product, an action or a fingerprint.</summary>
/// <param name="Product">Its name, for products.</param>
/// <param name="Action">Its name, for actions.</param>
/// <param name="Events">Events.</param>
/// <param name="NewFingerprints">
/// Fingerprints that are new to the product, or that began with the action. Absent for uniques over several days.
/// </param>
/// <param name="UniqueFingerprints">Different fingerprints. Only for products, on one day or by uniques.</param>
public sealed record TopEntry(string? Product, string? Action, long Events, long? NewFingerprints,
    long? UniqueFingerprints)
{
    /// <summary>The value, for a dimension.</summary>
    public string? Value { get; init; }

    /// <summary>True for all values together that came after a day's limit was reached.</summary>
    public bool? Other { get; init; }

    /// <summary>With compare, the same of the earlier range.</summary>
    public Compared? Compared { get; init; }

    internal (string?, string?, string?) Key => (Product, Action, Value);

    internal Compared With(TopEntry? earlier) => Totals.Compared.From(Events, earlier?.Events ?? 0) with
    {
        NewFingerprints = NewFingerprints is null ? null : earlier?.NewFingerprints ?? 0,
        UniqueFingerprints = UniqueFingerprints is null ? null : earlier?.UniqueFingerprints ?? 0,
    };

    /// <summary>Its name, for fingerprints.</summary>
    public string? Fingerprint { get; init; }

    /// <summary>UTC: a fingerprint's earliest event in the range.</summary>
    public DateTime? FirstSeen { get; init; }

    /// <summary>UTC: a fingerprint's latest event in the range.</summary>
    public DateTime? LastSeen { get; init; }
}
