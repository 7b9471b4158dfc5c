namespace Tally.Silo.Http;

/// <summary>
/// Refuses requests that match no endpoint of ours, with a problem document like every other refusal.
/// </summary>
internal static class UnmatchedRequests
{
    /// <summary>Middleware after routing, before anything that looks at the endpoint's metadata.</summary>
    public static Task Refuse(HttpContext context, RequestDelegate next)
    {
        var found = context.GetEndpoint();
        if (found is not RouteEndpoint)
            context.SetEndpoint(new Endpoint(
                refused => Respond(refused, found), CorsOrigins.MetadataOf(context.Request.Path), "unmatched"));
        else if (IsMisspelt(context.Request.Method))
            context.SetEndpoint(new Endpoint(refused => RespondMisspelt(refused, found), found.Metadata, "unmatched"));
        return next(context);
    }

    // Methods are case-sensitive (RFC 9110, 9.1), but routing takes "head" for HEAD, whose answer the server then does
    // not know to be without a body.
    private static bool IsMisspelt(string method) =>
        !string.Equals(method, HttpMethods.GetCanonicalizedValue(method), StringComparison.Ordinal);

    private static async Task Respond(HttpContext context, Endpoint? found)
    {
        if (found?.RequestDelegate is { } routing) await routing(context); // sets Allow to the methods of the path
        var isKnownPath = context.Response.StatusCode == StatusCodes.Status405MethodNotAllowed;
        await (isKnownPath ? Refusal.MethodNotAllowed() : Refusal.NotFound()).ExecuteAsync(context);
    }

    private static Task RespondMisspelt(HttpContext context, Endpoint found)
    {
        if (found.Metadata.GetMetadata<HttpMethodMetadata>() is { HttpMethods: var methods })
            context.Response.Headers.Allow = string.Join(", ", methods);
        return Refusal.MethodNotAllowed().ExecuteAsync(context);
    }
}
