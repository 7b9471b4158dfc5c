using System.Security.Cryptography;
using System.Text;

namespace Tally.Silo.Webhooks;

/// <summary>The signature of a webhook, as the Standard Webhooks specification has it.</summary>
internal static class WebhookSignature
{
    /// <summary>
    /// The header's value: one signature for each secret, so that a receiver may change its own late.
    /// </summary>
    /// <param name="id">Of the firing. It has no dot, so what is signed can be read in one way only.</param>
    /// <param name="seconds">Since 1970, of this try.</param>
    public static string Create(string id, long seconds, byte[] body, IEnumerable<byte[]> secrets)
    {
        byte[] signed = [.. Encoding.ASCII.GetBytes($"{id}.{seconds}."), .. body];
        return string.Join(' ', secrets.Select(secret =>
            "v1," + Convert.ToBase64String(HMACSHA256.HashData(secret, signed))));
    }
}
