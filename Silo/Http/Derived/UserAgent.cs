using System.Text.RegularExpressions;
using Tally.Silo.Http.AbuseLimits;

namespace Tally.Silo.Http.Derived;

/// <summary>
/// The families that a user agent names: nobody asks for more of it, and no maintained list is a package that a restore
/// finds. Browsers name those that they are like, so the first match counts.
/// </summary>
internal static class UserAgent
{
    private const string Other = "other", Bot = "bot";
    private const int CharactersRead = 512;

    private const RegexOptions Linear = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant;

    private static readonly (Regex Pattern, string Name)[] Browsers =
    [
        (new(@"\bEdg(?:e|A|iOS)?/", Linear), "Edge"),
        (new(@"\b(?:OPR|OPT|Opera|OPiOS)\b", Linear), "Opera"),
        (new(@"\bSamsungBrowser/", Linear), "Samsung Internet"),
        (new(@"\bVivaldi/", Linear), "Vivaldi"),
        (new(@"\bYaBrowser/", Linear), "Yandex"),
        (new(@"\b(?:DuckDuckGo|Ddg)/", Linear), "DuckDuckGo"),
        (new(@"\b(?:Firefox|FxiOS)/", Linear), "Firefox"),
        (new(@"\b(?:Chrome|CriOS|Chromium)/", Linear), "Chrome"),
        (new(@"\bSafari/|\biP(?:hone|ad|od)\b.*AppleWebKit/", Linear), "Safari"),
    ];

    private static readonly (Regex Pattern, string Name)[] Systems =
    [
        (new(@"\bWindows\b", Linear), "Windows"),
        (new(@"\bAndroid\b", Linear), "Android"),
        (new(@"\biP(?:hone|ad|od)\b", Linear), "iOS"),
        (new(@"\bCrOS\b", Linear), "ChromeOS"),
        (new(@"\b(?:Macintosh|Mac OS X)\b", Linear), "macOS"),
        (new(@"\bLinux\b|\bX11\b", Linear), "Linux"),
    ];

    private static readonly Regex Tablet = new(@"\biPad\b|\bTablet\b|\bKindle\b", Linear);
    private static readonly Regex Phone = new(@"\bMobi|\biP(?:hone|od)\b", Linear);

    public static string BrowserOf(string agent) => KnownBots.IsBot(agent) ? Bot : Find(Browsers, agent);

    public static string SystemOf(string agent) => Find(Systems, agent);

    public static string DeviceOf(string agent)
    {
        if (KnownBots.IsBot(agent)) return Bot;
        var read = agent.AsSpan(0, Math.Min(agent.Length, CharactersRead));
        if (Tablet.IsMatch(read)) return "tablet";
        if (Phone.IsMatch(read)) return "phone";
        return SystemOf(agent) switch { Other => Other, "Android" => "tablet", _ => "desktop" };
    }

    private static string Find((Regex Pattern, string Name)[] known, string agent)
    {
        var read = agent.AsSpan(0, Math.Min(agent.Length, CharactersRead));
        foreach (var (pattern, name) in known)
            if (pattern.IsMatch(read)) return name;
        return Other;
    }
}
