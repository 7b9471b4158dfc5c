using Tally.Silo.Pages.Fingerprints;
using Tally.Silo.Pages.Rules;
using Tally.Silo.Pages.Words;

namespace Tally.Silo.Pages;

/// <summary>The pages that each page leads to.</summary>
internal static class PageLinks
{
    public static IEnumerable<(string Path, string Title)> All(Texts texts) =>
    [
        ("/", texts.Overview),
        (ListAddress.Path, texts.Fingerprints),
        ("/live", texts.Live),
        ("/funnels", texts.Funnels),
        ("/retention", texts.WhoCameBack),
        (RulePageEndpoints.Path, texts.Rules),
        ("/proof", texts.Proof),
        ("/cluster", texts.Cluster),
    ];
}
