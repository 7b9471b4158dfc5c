namespace Tally.Silo.Http.Live;

/// <summary>All counts as of one moment.</summary>
internal sealed class AllCounts
{
    private readonly Dictionary<(string Product, string Action), long> events;
    private readonly Lazy<ILookup<string, LiveCount>> byProduct;
    private readonly long total;

    public AllCounts(IReadOnlyList<(string Product, string Action, long Events)> rows)
    {
        events = rows.ToDictionary(row => (row.Product, row.Action), row => row.Events);
        byProduct = new(() => All.ToLookup(count => count.Product));
        total = rows.Sum(row => row.Events);
    }

    private IEnumerable<LiveCount> All =>
        events.Select(pair => new LiveCount(pair.Key.Product, pair.Key.Action, null, pair.Value));

    /// <param name="product">The only one; null for all.</param>
    public LiveCounts Totals(string? product) =>
        new(null, TotalOf(product), Sorted(product is null ? All : byProduct.Value[product]));

    /// <summary>What was added since an earlier moment.</summary>
    public ILookup<string, LiveCount> Since(AllCounts before) => events
        .Select(pair =>
            new LiveCount(pair.Key.Product, pair.Key.Action, pair.Value - before.events.GetValueOrDefault(pair.Key),
                pair.Value))
        .Where(change => change.Added != 0).ToLookup(change => change.Product);

    /// <returns>Null where nothing of the product was added.</returns>
    public LiveCounts? Added(ILookup<string, LiveCount> changes, string? product)
    {
        var told = Sorted(product is null ? changes.SelectMany(ofProduct => ofProduct) : changes[product]);
        return told.Count == 0 ? null : new(told.Sum(count => count.Added), TotalOf(product), told);
    }

    private long TotalOf(string? product) =>
        product is null ? total : byProduct.Value[product].Sum(count => count.Total);

    private static List<LiveCount> Sorted(IEnumerable<LiveCount> counts) =>
        [.. counts.OrderBy(count => count.Product, StringComparer.Ordinal).ThenBy(count => count.Action,
            StringComparer.Ordinal)];
}
