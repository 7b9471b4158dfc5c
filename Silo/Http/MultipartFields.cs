using System.Buffers;
using System.Text;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Tally.Silo.Http;

/// <summary>Reads multipart/form-data, which FormData and HTML forms with files send. Files are passed over.</summary>
internal static class MultipartFields
{
    private const int BoundaryCharactersMax = 70; // RFC 2046

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <param name="body">Whole.</param>
    /// <param name="contentType">Names the boundary.</param>
    /// <param name="fields">Filled in where nothing is refused.</param>
    public static async ValueTask<Refusal?> Read(ReadOnlySequence<byte> body, string contentType, EventFields fields)
    {
        var boundary = HeaderUtilities.RemoveQuotes(MediaTypeHeaderValue.Parse(contentType).Boundary).Value;
        if (boundary is not { Length: > 0 and <= BoundaryCharactersMax }) return Malformed();
        try
        {
            var reader = new MultipartReader(boundary, new MemoryStream(body.ToArray(), writable: false));
            while (await reader.ReadNextSectionAsync() is { } section)
            {
                if (!ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var disposition)) return Malformed();
                if (disposition.IsFileDisposition()) continue;
                if (HeaderUtilities.RemoveQuotes(disposition.Name).Value is not { Length: > 0 } name) return Malformed();
                using var value = new MemoryStream();
                await section.Body.CopyToAsync(value);
                if (!fields.TrySet(name, Strict.GetString(value.GetBuffer(), 0, (int)value.Length))) return Refusal.DuplicateField(name);
            }
            return null;
        }
        catch (Exception exception) when (exception is IOException or InvalidDataException or DecoderFallbackException)
        {
            return Malformed();
        }
    }

    private static Refusal Malformed() =>
        Refusal.MalformedBody("The multipart form is broken, has a part without a name, or has a text that is not in UTF-8.");
}
