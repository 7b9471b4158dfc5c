namespace Tally.Silo.Http;

/// <summary>Requests for which routing finds no endpoint of ours: they are refused as everything else is.</summary>
internal static class Unrouted
{
    /// <summary>After routing, and before what reads an endpoint's metadata.</summary>
    public static Task Refuse(HttpContext context, RequestDelegate next)
    {
        if (context.GetEndpoint() is var found && found is not RouteEndpoint)
            context.SetEndpoint(new Endpoint(refused => Answer(refused, found), CorsOrigins.MetadataOf(context.Request.Path), "unrouted"));
        return next(context);
    }

    private static async Task Answer(HttpContext context, Endpoint? found)
    {
        if (found?.RequestDelegate is { } routing) await routing(context); // says in Allow which methods the path takes
        var refusal = context.Response.StatusCode == StatusCodes.Status405MethodNotAllowed ? Refusal.MethodNotAllowed() : Refusal.NotFound();
        await refusal.ExecuteAsync(context);
    }
}
