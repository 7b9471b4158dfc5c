using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Tally.Silo.Http;

/// <summary>A JSON answer, written with its length; a small one whole: one piece on the wire, where a stream's would be three.</summary>
internal sealed class JsonAnswer<T>(
    T value, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK, string contentType = "application/json") : IResult
{
    public Task ExecuteAsync(HttpContext httpContext)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(value, type);
        if (body.Length > HeldAnswers.PieceBytes)
        {
            value = default!; // while a slow reader takes the bytes, nobody needs what they were made of
            return httpContext.RequestServices.GetRequiredService<HeldAnswers>().Send(httpContext, body, status, contentType);
        }
        var response = httpContext.Response;
        response.StatusCode = status;
        response.ContentType = contentType;
        response.ContentLength = body.Length;
        return response.Body.WriteAsync(body, 0, body.Length);
    }
}
