using System.Text.RegularExpressions;
using Tally.Grains;

namespace Tally.Silo.Http.AbuseLimits;

/// <param name="Ignored">Why nothing was recorded, though nothing was wrong.</param>
public sealed record IgnoredRequest(string Ignored);

/// <summary>
/// Bots that say who they are, by the words that their makers use for it: most name themselves a bot, a crawler or a spider, or
/// link to a page that explains them, which no browser does. Programs' HTTP libraries are honest clients.
/// </summary>
internal static class KnownBots
{
    private const int CharactersRead = 512;

    // In linear time, whatever the user agent. "Cubot" makes phones.
    private static readonly Regex Bot = new(
        @"(?:^|[^u])bot(?:[^a-z]|$)|crawl|spider|slurp|scrap(?:er|y)|archiver|headless|lighthouse|externalhit|\+https?://|uptime|monitoring",
        RegexOptions.NonBacktracking | RegexOptions.IgnoreCase | RegexOptions.CultureInvariant);

    /// <summary>Answers bots that nothing was recorded; the others go on.</summary>
    public static void IgnoreBots(this RouteGroupBuilder group) => ((IEndpointConventionBuilder)group).Finally(endpoint =>
    {
        var others = endpoint.RequestDelegate!;
        endpoint.RequestDelegate = context => Know(context.Request.Headers.UserAgent.ToString()) ? Ignore(context) : others(context);
    });

    private static Task Ignore(HttpContext context)
    {
        TallyMetrics.BotsIgnored.Add(1);
        return new JsonAnswer<IgnoredRequest>(new("bot"), HttpJson.Default.IgnoredRequest).ExecuteAsync(context);
    }

    internal static bool Know(string userAgent) => Bot.IsMatch(userAgent.AsSpan(0, Math.Min(userAgent.Length, CharactersRead)));
}
