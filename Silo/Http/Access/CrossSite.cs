namespace Tally.Silo.Http.Access;

/// <summary>
/// Refuses what a browser sends for a page of another site. Browsers say where a request comes from: in Sec-Fetch-Site,
/// old ones in Origin. What says neither is no browser.
/// </summary>
internal static class CrossSite
{
    public static RouteGroupBuilder RefuseCrossSite(this RouteGroupBuilder group) => group.AddEndpointFilter(
        async (context, next) => IsSameSite(context.HttpContext.Request) ? await next(context) : Refusal.CrossSite());

    private static bool IsSameSite(HttpRequest request)
    {
        if (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)) return true;
        return request.Headers["Sec-Fetch-Site"] is [var site] ? site is "same-origin" or "none"
            : request.Headers.Origin is not [{ } origin]
                || Uri.TryCreate(origin, UriKind.Absolute, out var from) && from.Authority == request.Host.Value;
    }
}
