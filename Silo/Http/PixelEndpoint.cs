using System.Text;

namespace Tally.Silo.Http;

/// <summary>An event as an image's address, for mails and for pages without scripts.</summary>
internal static class PixelEndpoint
{
    // One transparent point; the smallest that every browser and mail program takes.
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
            .WithDescription("The fields of POST /api/events as query parameters. The image comes when the event is committed and "
                + "counted; a refusal is a problem document, not an image. Neither may be cached. HEAD records nothing.")
            .Produces(200, contentType: "image/gif")
            .ProducesRefusals(400, 401, 403, 409, 422, 503);

    private static async Task<IResult> Get(HttpRequest request, HttpResponse response, Intake intake)
    {
        response.OpenToEveryPage();
        response.Headers.CacheControl = "no-store";
        var fields = new EventFields();
        var refusal = FormFields.Read(Encoding.UTF8.GetBytes(request.QueryString.Value is [_, .. var query] ? query : ""), fields);
        var answer = refusal is null ? await intake.Record(fields, request.HttpContext) : Intake.Refused(refusal);
        return answer.Refusal is { } refused ? refused : Answer();
    }

    public static IResult Answer() => TypedResults.Bytes(Image, "image/gif");
}
