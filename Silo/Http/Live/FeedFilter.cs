using Tally.Silo.Storage;

namespace Tally.Silo.Http.Live;

/// <summary>Which events, and firings of rules about them, a reader of the feed is told.</summary>
/// <param name="Product">The only one; null for all.</param>
/// <param name="Action">The only one; null for all.</param>
internal sealed record FeedFilter(string? Product, string? Action)
{
    public bool Takes(FeedNews news) => news switch
    {
        { Event.Event: var e } => Takes(e.Product, e.Action),
        { Clock.Event: var about } => Takes(about.Product, about.Action),
        _ => news.Skipped > 0,
    };

    private bool Takes(string product, string action) =>
        (Product is null || Product == product) && (Action is null || Action == action);
}
