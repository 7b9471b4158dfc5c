using Microsoft.AspNetCore.WebUtilities;

namespace Tally.Silo.Pages.Fingerprints;

/// <summary>What the list of fingerprints shows, as its address says. Null is what the API takes without it.</summary>
/// <param name="Sort">recent, first or total.</param>
/// <param name="Product">Null for all.</param>
/// <param name="After">The API's cursor.</param>
public sealed record ListAddress(string? Sort, string? Product, string? After)
{
    public const string Path = "/fingerprints";

    internal static ListAddress Parse(IQueryCollection query) =>
        new(query.One("sort"), query.One("product"), query.One("after"));

    public override string ToString()
    {
        var query = new Dictionary<string, string?>();
        if (Sort is not null) query["sort"] = Sort;
        if (Product is not null) query["product"] = Product;
        if (After is not null) query["after"] = After;
        return QueryHelpers.AddQueryString(Path, query);
    }
}
