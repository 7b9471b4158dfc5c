using System.Text.RegularExpressions;
using Tally.Grains;

namespace Tally.Silo.Http.AbuseLimits;

/// <param name="Ignored">Why a valid request was not recorded.</param>
public sealed record IgnoredRequest(string Ignored);

/// <summary>
/// Bots that declare themselves in their user agent. Most call themselves a bot, a crawler or a spider, or link to a
/// page about themselves, which no browser does. HTTP libraries of programs are no bots.
/// </summary>
internal static class KnownBots
{
    private const int CharactersRead = 512;

    // Non-backtracking: linear in any user agent. "Cubot" makes phones.
    private static readonly Regex Bot = new(
        @"(?:^|[^u])bot(?:[^a-z]|$)|crawl|spider|slurp|scrap(?:er|y)|archiver|headless|lighthouse|externalhit"
        + @"|\+https?://|uptime|monitoring",
        RegexOptions.NonBacktracking | RegexOptions.IgnoreCase | RegexOptions.CultureInvariant);

    /// <summary>Answers bots without recording anything.</summary>
    public static void IgnoreBots(this RouteGroupBuilder group) =>
        ((IEndpointConventionBuilder)group).Finally(endpoint =>
    {
        var others = endpoint.RequestDelegate!;
        endpoint.RequestDelegate = context =>
            IsBot(context.Request.Headers.UserAgent.ToString()) ? Ignore(context) : others(context);
    });

    private static Task Ignore(HttpContext context)
    {
        TallyMetrics.BotsIgnored.Add(1);
        return new JsonAnswer<IgnoredRequest>(new("bot"), HttpJson.Default.IgnoredRequest).ExecuteAsync(context);
    }

    internal static bool IsBot(string userAgent) =>
        Bot.IsMatch(userAgent.AsSpan(0, Math.Min(userAgent.Length, CharactersRead)));
}
