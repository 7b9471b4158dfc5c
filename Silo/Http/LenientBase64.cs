using System.Buffers.Text;

namespace Tally.Silo.Http;

/// <summary>Base64 as it comes in queries and forms.</summary>
internal static class LenientBase64
{
    /// <summary>
    /// Decodes either alphabet, padded or not. A plus that was not encoded has become a space.
    /// </summary>
    /// <returns>Null if it is not base64, or is more bytes than the maximum.</returns>
    public static byte[]? Decode(string text, int bytesMax)
    {
        var url = text.TrimEnd('=').Replace('+', '-').Replace(' ', '-').Replace('/', '_');
        return url.Length <= Base64Url.GetEncodedLength(bytesMax) && Base64Url.IsValid(url)
            ? Base64Url.DecodeFromChars(url) : null;
    }
}
