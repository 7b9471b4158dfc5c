using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Tally.Contracts;

namespace Tally.Silo.Http.Trackers.CloudEvents;

/// <summary>
/// The id of an event that was a CloudEvent, whose own is unique only for its source: both, with a space between. No
/// source has a space. What is too long for an id, or has one all the same, is hashed.
/// </summary>
internal static class CloudEventId
{
    public static string Create(string source, string id, Limits limits) =>
        source.Contains(' ') || source.Length + 1 + id.Length > limits.EventIdCharactersMax
            ? "sha256:" + Base64Url.EncodeToString(
                SHA256.HashData(Encoding.UTF8.GetBytes($"{source.Length} {source} {id}")))
            : $"{source} {id}";
}
