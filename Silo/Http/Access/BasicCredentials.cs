using System.Text;

namespace Tally.Silo.Http.Access;

/// <summary>HTTP's Basic credentials, of which SDKs use the user's name alone, for a key.</summary>
internal static class BasicCredentials
{
    private const int BytesMax = 2_048; // no key and no product is as long

    /// <param name="parameter">What follows the scheme's name.</param>
    /// <returns>Null where it cannot be decoded.</returns>
    public static string? UserOf(string? parameter)
    {
        Span<byte> decoded = stackalloc byte[BytesMax];
        return Convert.TryFromBase64String(parameter ?? "", decoded, out var length)
            ? Encoding.UTF8.GetString(decoded[..length]).Split(':')[0] : null;
    }
}
