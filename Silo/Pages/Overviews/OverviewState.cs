using Microsoft.AspNetCore.WebUtilities;
using Tally.Contracts;
using Tally.Silo.Http;

namespace Tally.Silo.Pages.Overviews;

/// <summary>What the overview shows. All of it is in the page's address.</summary>
/// <param name="Range">One of <see cref="Ranges"/>.</param>
/// <param name="Product">Null for all.</param>
public sealed record OverviewState(string Range, string? Product)
{
    /// <summary>The ranges by their names in the address, and their days until today.</summary>
    public static readonly IReadOnlyList<(string Name, int Days)> Ranges =
        [("today", 1), ("7d", 7), ("30d", 30), ("90d", 90), ("12mo", 365)];

    public const string Usual = "30d";

    public int Days => Ranges.First(range => range.Name == Range).Days;
    public bool IsToday => Range == "today";

    /// <summary>Reads an address. What cannot be is as if it were not there.</summary>
    internal static OverviewState Of(IQueryCollection query, Limits limits)
    {
        var range = query["range"] is [{ } asked] && Ranges.Any(one => one.Name == asked) ? asked : Usual;
        var product = query["product"] is [{ } one]
            && EventFields.CheckText("product", one, limits.ProductBytesMax) is null ? one : null;
        return new(range, product);
    }

    /// <summary>The page's address with this state.</summary>
    public string ToAddress()
    {
        var query = new Dictionary<string, string?>();
        if (Range != Usual) query["range"] = Range;
        if (Product is not null) query["product"] = Product;
        return QueryHelpers.AddQueryString("/", query);
    }
}
