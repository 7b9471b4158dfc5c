using System.Text;

namespace Tally.Silo.Http;

/// <summary>
/// UTF-8 that throws <see cref="DecoderFallbackException"/> at invalid bytes. Replaced, they could make two texts one.
/// </summary>
internal static class StrictUtf8
{
    public static readonly UTF8Encoding Encoding =
        new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
}
