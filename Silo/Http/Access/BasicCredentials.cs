using System.Text;

namespace Tally.Silo.Http.Access;

/// <summary>HTTP's Basic credentials. SDKs send a key as the user's name, without a password.</summary>
internal static class BasicCredentials
{
    private const int BytesMax = 2_048; // longer than any key or product

    /// <returns>The user's name; null if it cannot be decoded.</returns>
    public static string? UserOf(string? parameter)
    {
        Span<byte> decoded = stackalloc byte[BytesMax];
        return Convert.TryFromBase64String(parameter ?? "", decoded, out var length)
            ? Encoding.UTF8.GetString(decoded[..length]).Split(':')[0] : null;
    }
}
