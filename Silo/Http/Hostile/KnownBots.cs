using System.Buffers;
using System.Text.RegularExpressions;
using Tally.Grains;

namespace Tally.Silo.Http.Hostile;

/// <param name="Ignored">Why nothing was recorded, though nothing was wrong.</param>
public sealed record IgnoredRequest(string Ignored);

/// <summary>
/// Bots that say who they are, by bots.txt. Nearly all of its patterns are plain texts, which one search finds together; the
/// few others are matched in linear time, so that no user agent costs more than about 10 microseconds: one regular
/// expression of them all took milliseconds.
/// </summary>
internal static partial class KnownBots
{
    private const int CharactersRead = 512;
    private const string Resource = "bots.txt";

    private static readonly SearchValues<char> Special = SearchValues.Create(@"\^$.|?*+()[{");
    private static readonly SearchValues<string> Texts;
    private static readonly Regex Others;

    static KnownBots()
    {
        var patterns = ReadPatterns().ToLookup(pattern => !Escape().Replace(pattern, "").AsSpan().ContainsAny(Special));
        Texts = SearchValues.Create([.. patterns[true].Select(pattern => Escape().Replace(pattern, "$1"))], StringComparison.Ordinal);
        Others = new(string.Join('|', patterns[false].Select(pattern => $"(?:{pattern})")),
            RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
    }

    /// <summary>Answers bots that nothing was recorded; the others go on.</summary>
    public static void IgnoreBots(this RouteGroupBuilder group) => group.AddEndpointFilter(async (context, next) =>
    {
        if (!Know(context.HttpContext.Request.Headers.UserAgent.ToString())) return await next(context);
        TallyMetrics.BotsIgnored.Add(1);
        return new JsonAnswer<IgnoredRequest>(new("bot"), HttpJson.Default.IgnoredRequest);
    });

    internal static bool Know(string userAgent)
    {
        var begin = userAgent.AsSpan(0, Math.Min(userAgent.Length, CharactersRead));
        return begin.ContainsAny(Texts) || Others.IsMatch(begin);
    }

    private static IEnumerable<string> ReadPatterns()
    {
        using var list = new StreamReader(typeof(KnownBots).Assembly.GetManifestResourceStream(Resource)!);
        while (list.ReadLine() is { } line)
            if (!line.StartsWith('#')) yield return line;
    }

    [GeneratedRegex(@"\\(\W)")]
    private static partial Regex Escape();
}
