using System.Text;

namespace Tally.Silo.Http;

/// <summary>GET /api/pixel.gif: an event as an image's address, for mails and for pages without scripts.</summary>
internal static class PixelEndpoint
{
    // One transparent point: the smallest image that every browser and mail program takes.
    private static readonly byte[] Image =
    [
        .. "GIF89a"u8, 1, 0, 1, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, // one by one, two colours
        0x21, 0xF9, 4, 1, 0, 0, 0, 0, // the first of them transparent
        0x2C, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0, 0x3B,
    ];

    public static void MapPixel(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/api/pixel.gif", Get)
            .WithName("GetPixel")
            .WithSummary("Record one event, and get an image of one transparent point")
            .WithDescription(
                "The fields of POST /api/events as query parameters. The image comes when the event is committed and "
                + "counted; a refusal is a problem document, not an image. Neither may be cached. HEAD records "
                + "nothing.")
            .Produces(200, contentType: "image/gif")
            .ProducesRefusals(409);

    private static async Task<IResult> Get(HttpContext context, Ingestion ingestion)
    {
        AllowAnyPage(context.Response);
        var fields = new EventFields();
        var query = context.Request.QueryString.Value is ['?', .. var text] ? text : "";
        if (EventEndpoint.ParseForm(Encoding.UTF8.GetBytes(query), fields) is { } refusal) return refusal;
        return ImageUnless((await ingestion.Record(fields, context)).Refusal);
    }

    public static void AllowAnyPage(HttpResponse response)
    {
        response.OpenToEveryPage();
        response.Headers.CacheControl = "no-store";
    }

    public static IResult ImageUnless(Refusal? refusal) =>
        refusal is not null ? refusal : TypedResults.Bytes(Image, "image/gif");
}
