using System.Buffers;
using System.Text;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Tally.Silo.Http;

/// <summary>Reads multipart/form-data, which FormData and HTML forms with files send. Files are skipped.</summary>
internal static class MultipartForm
{
    private const int BoundaryCharactersMax = 70; // RFC 2046

    /// <returns>Why the form is refused, or null.</returns>
    public static async ValueTask<Refusal?> Parse(ReadOnlySequence<byte> body, string contentType, EventFields fields)
    {
        var boundary = HeaderUtilities.RemoveQuotes(MediaTypeHeaderValue.Parse(contentType).Boundary).Value;
        if (boundary is not { Length: > 0 and <= BoundaryCharactersMax }) return Malformed();
        try
        {
            var reader = new MultipartReader(boundary, new MemoryStream(body.ToArray(), writable: false));
            while (await reader.ReadNextSectionAsync() is { } section)
            {
                if (!ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var disposition))
                    return Malformed();
                if (disposition.IsFileDisposition()) continue;
                if (HeaderUtilities.RemoveQuotes(disposition.Name).Value is not { Length: > 0 } name)
                    return Malformed();
                using var value = new MemoryStream();
                await section.Body.CopyToAsync(value);
                var text = StrictUtf8.Encoding.GetString(value.GetBuffer(), 0, (int)value.Length);
                if (!fields.TrySet(name, text)) return Refusal.DuplicateField(name);
            }
            return null;
        }
        catch (Exception exception) when (exception is IOException or InvalidDataException or DecoderFallbackException)
        {
            return Malformed();
        }
    }

    private static Refusal Malformed() =>
        Refusal.MalformedBody(
            "The multipart form is broken, has a part without a name, or has a text that is not in UTF-8.");
}
