using System.Globalization;
using System.Text;

namespace Tally.Bench.Client;

/// <summary>
/// A request's bytes, made once. Only numbers change in them: those of fingerprints and event ids, which replace <see
/// cref="Fingerprint"/> and <see cref="Id"/> in its text.
/// </summary>
internal sealed class PreparedRequest
{
    /// <summary>In a request's text, stands for twelve digits that name a fingerprint.</summary>
    public const string Fingerprint = "{fingerprint}";

    /// <summary>
    /// In a request's text, after the event's fingerprint, stands for twelve digits that name an event.
    /// </summary>
    public const string Id = "{id}";

    private const int Digits = 12;

    private readonly byte[] bytes;
    private readonly List<(int At, bool IsId)> slots = [];

    private PreparedRequest(string head, string body)
    {
        var text = new StringBuilder();
        foreach (var part in Split(head + WithLength(body)))
        {
            if (part is Fingerprint or Id) slots.Add((text.Length, part == Id));
            text.Append(part is Fingerprint or Id ? new string('0', Digits) : part);
        }
        bytes = Encoding.ASCII.GetBytes(text.ToString());
        Events = Math.Max(1, slots.Count(slot => !slot.IsId));
    }

    /// <summary>Events in one request; for a read, 1.</summary>
    public int Events { get; }

    public static PreparedRequest Get(string path) => new($"GET {path} HTTP/1.1\r\nHost: bench\r\n", "");

    public static PreparedRequest Post(string path, string contentType, string body) =>
        new($"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: {contentType}\r\n", body);

    /// <returns>The request with the next numbers in it, valid until the next call.</returns>
    public ReadOnlySpan<byte> With(Func<Numbers> next)
    {
        var numbers = default(Numbers);
        foreach (var (at, isId) in slots)
        {
            if (!isId) numbers = next();
            Write(isId ? numbers.Id : numbers.Fingerprint, at);
        }
        return bytes;
    }

    private void Write(long number, int at)
    {
        for (var i = at + Digits - 1; i >= at; i--, number /= 10) bytes[i] = (byte)('0' + number % 10);
    }

    private static string WithLength(string body) => body.Length == 0
        ? "\r\n"
        : string.Create(CultureInfo.InvariantCulture, $"Content-Length: {Split(body).Sum(LengthOf)}\r\n\r\n{body}");

    private static int LengthOf(string part) => part is Fingerprint or Id ? Digits : part.Length;

    // The markers are parts of their own.
    private static IEnumerable<string> Split(string text)
    {
        while (text.Length > 0)
        {
            var (at, marker) =
                ((string[])[Fingerprint, Id]).Select(m => (At: text.IndexOf(m, StringComparison.Ordinal), m))
                .Where(found => found.At >= 0).DefaultIfEmpty((text.Length, "")).Min();
            if (at > 0) yield return text[..at];
            if (marker.Length > 0) yield return marker;
            text = text[(at + marker.Length)..];
        }
    }
}

/// <summary>The numbers that name one event in a request.</summary>
internal readonly record struct Numbers(long Fingerprint, long Id);
