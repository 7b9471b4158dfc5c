using Tally.Silo.Storage;

namespace Tally.Silo.Pages;

/// <summary>Names that a form offers: those with the most events.</summary>
internal sealed class ProductNames(SqlStorage storage)
{
    private const int NamesMax = 200;

    public async Task<IReadOnlyList<string>> Read() => Most(await storage.ReadCounts(), row => row.Product);

    /// <summary>Of one product, or of all.</summary>
    public async Task<IReadOnlyList<string>> ReadActions(string? product) =>
        Most((await storage.ReadCounts()).Where(row => product is null || row.Product == product), row => row.Action);

    private static IReadOnlyList<string> Most(IEnumerable<(string Product, string Action, long Events)> rows,
        Func<(string Product, string Action, long Events), string> name) =>
    [
        .. rows.GroupBy(name).OrderByDescending(group => group.Sum(row => row.Events))
            .ThenBy(group => group.Key, StringComparer.Ordinal).Select(group => group.Key).Take(NamesMax),
    ];
}
