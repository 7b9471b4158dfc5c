namespace Tally.Silo.Http;

/// <summary>
/// The endpoint of the metrics is a library's and sends no length. With HTTP/1.0 the end of such an answer
/// is the end of the connection, even if that broke: so the answer is buffered and its length sent. Other answers have
/// a length, except exports, which refuse HTTP/1.0, and live streams.
/// </summary>
internal static class LengthForHttp10
{
    public static void UseLengthForHttp10(this WebApplication app) => app.UseWhen(
        context => HttpProtocol.IsHttp10(context.Request.Protocol) && context.Request.Path == "/metrics",
        old => old.Use(Buffer));

    private static async Task Buffer(HttpContext context, RequestDelegate next)
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
