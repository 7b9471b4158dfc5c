namespace Tally.Silo.Http;

/// <summary>
/// Refuses requests that match no endpoint of ours, with a problem document like every other refusal.
/// </summary>
internal static class UnmatchedRequests
{
    /// <summary>Middleware after routing, before anything that looks at the endpoint's metadata.</summary>
    public static Task Refuse(HttpContext context, RequestDelegate next)
    {
        if (context.GetEndpoint() is var found && found is not RouteEndpoint)
            context.SetEndpoint(new Endpoint(
                refused => Respond(refused, found), CorsOrigins.MetadataOf(context.Request.Path), "unmatched"));
        return next(context);
    }

    private static async Task Respond(HttpContext context, Endpoint? found)
    {
        if (found?.RequestDelegate is { } routing) await routing(context); // sets Allow to the methods of the path
        var isKnownPath = context.Response.StatusCode == StatusCodes.Status405MethodNotAllowed;
        await (isKnownPath ? Refusal.MethodNotAllowed() : Refusal.NotFound()).ExecuteAsync(context);
    }
}
