using System.Security.Cryptography;

namespace Tally.Silo.Webhooks;

/// <summary>What a rule's webhooks are signed with, in the form of the Standard Webhooks specification.</summary>
internal static class WebhookSecret
{
    private const int Bytes = 32;

    public static byte[] New() => RandomNumberGenerator.GetBytes(Bytes);

    /// <summary>As its receiver is told it.</summary>
    public static string Text(byte[] secret) => "whsec_" + Convert.ToBase64String(secret);
}
