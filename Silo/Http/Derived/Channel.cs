using Tally.Grains.EventLog;

namespace Tally.Silo.Http.Derived;

/// <summary>The kind of way on which a visitor came, from an event's referrer and utm properties.</summary>
internal static class Channel
{
    private static readonly DimensionSet Read = new(1, ["referrer", "utm_source", "utm_medium"]);

    private static readonly string[] Search =
    [
        "google", "bing", "duckduckgo", "yahoo", "ecosia", "qwant", "startpage", "yandex", "baidu", "search.brave",
        "kagi", "naver",
    ];

    private static readonly string[] Social =
    [
        "facebook", "fb", "instagram", "twitter", "x.com", "t.co", "linkedin", "lnkd.in", "reddit", "youtube", "tiktok",
        "pinterest", "mastodon", "bsky", "threads", "news.ycombinator", "telegram", "t.me", "whatsapp", "vk.com",
    ];

    private static readonly string[] Assistant =
        ["chatgpt", "openai", "perplexity", "claude", "gemini.google", "copilot.microsoft"];

    private static readonly string[] Mail = ["mail", "outlook", "newsletter"];

    /// <summary>Null for an event that has neither: a direct visit, or a later page of any visit.</summary>
    public static string? Find(string? properties)
    {
        var found = new List<DimensionValue>(3);
        Read.Collect(properties, found);
        string? Text(string name) => found.Find(one => one.Dimension == name).Value?.ToLowerInvariant();
        var (referrer, source, medium) = (Text("referrer"), Text("utm_source"), Text("utm_medium"));
        if (medium is not null && OfMedium(medium) is { } named) return named;
        if (source is not null) return Names(source, Mail) ? "email" : OfSite(source) ?? "campaign";
        return medium is not null ? "campaign" : referrer is null ? null : OfSite(referrer) ?? "referral";
    }

    private static string? OfMedium(string medium) =>
        medium is "cpc" or "ppc" or "cpm" or "cpv" or "banner" or "display" || medium.Contains("paid") ? "paid"
        : Names(medium, Mail) ? "email"
        : medium.StartsWith("social", StringComparison.Ordinal) ? "social"
        : medium.StartsWith("affiliate", StringComparison.Ordinal) ? "affiliate"
        : medium == "referral" ? "referral"
        : medium == "organic" ? "search" : null;

    private static string? OfSite(string site) =>
        Names(site, Assistant) ? "assistant" : Names(site, Mail) ? "email"
        : Names(site, Search) ? "search" : Names(site, Social) ? "social" : null;

    // A whole label, or several, of a host or of a name such as newsletter-may.
    private static bool Names(string text, string[] known)
    {
        foreach (var name in known)
            for (var at = text.IndexOf(name, StringComparison.Ordinal); at >= 0;
                at = text.IndexOf(name, at + 1, StringComparison.Ordinal))
                if (IsBorder(text, at - 1) && IsBorder(text, at + name.Length)) return true;
        return false;
    }

    private static bool IsBorder(string text, int at) =>
        at < 0 || at >= text.Length || !char.IsAsciiLetterOrDigit(text[at]);
}
