using Tally.Contracts;

namespace Tally.Silo.Http.Live;

/// <summary>Which events a reader of the feed is told.</summary>
/// <param name="Product">The only one; null for all.</param>
/// <param name="Action">The only one; null for all.</param>
internal sealed record FeedFilter(string? Product, string? Action)
{
    public bool Takes(Event e) => (Product is null || Product == e.Product) && (Action is null || Action == e.Action);
}
