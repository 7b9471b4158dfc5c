namespace Tally.Silo.Http;

/// <summary>
/// The framework's own endpoints send no length. With HTTP/1.0 their end would be the connection's, also when it breaks: so there
/// the answer is gathered first, and its length sent. All others know theirs, but for exports, which are refused, and live streams.
/// </summary>
internal static class LengthForHttp10
{
    public static void UseLengthForHttp10(this WebApplication app) => app.UseWhen(
        context => HttpProtocol.IsHttp10(context.Request.Protocol)
            && (context.Request.Path == "/metrics" || context.Request.Path.StartsWithSegments("/openapi", StringComparison.OrdinalIgnoreCase)),
        old => old.Use(Gather));

    private static async Task Gather(HttpContext context, RequestDelegate next)
    {
        var response = context.Response;
        var body = response.Body;
        using var whole = new MemoryStream();
        response.Body = whole;
        try
        {
            await next(context);
        }
        finally
        {
            response.Body = body;
        }
        response.ContentLength = whole.Length;
        await body.WriteAsync(whole.GetBuffer().AsMemory(0, (int)whole.Length));
    }
}
