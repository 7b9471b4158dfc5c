using System.Globalization;
using System.Text;

namespace Tally.Tests.Http.Fuzz;

/// <summary>Breaks valid requests, a little or a lot. The random numbers alone determine the result.</summary>
internal static class Mutation
{
    private const int ChangesMax = 2;
    private const int WildChangesMax = 8; // for one request in four
    private const double RightLengthShare = 0.9;

    // Texts that parsers stumble over.
    private static readonly string[] Odd =
    [
        "\0", "%00", "%", "%zz", "%ff", "%25", "+", "&", "=", "&&==", "\r\n", "\n", "\r\n\r\n", " ", "\t", "\x7f",
        "\xff", "\xc3\xa9", "\xed\xa0\x80", "\xef\xbb\xbf",
        "{", "}", "[", "]", "[[[[[[[[[[[[[[[[", "\"", "\\", "\\u0000", "\\ud800", "\\udc00\\ud800", ",", ":", "null",
        "true", "-1", "0", "1e999", "18446744073709551616", "9999-12-31T23:59:60Z",
        "../", "/./", "//", "?", "#", ";", ";charset=utf-16", "*/*", "application/json", "text/plain",
        "multipart/form-data; boundary=x", "gzip", "gzip, br", "identity",
        "Content-Length: 5\r\n", "Content-Length: -1\r\n", "Transfer-Encoding: chunked\r\n",
        "Content-Encoding: gzip\r\n", "Content-Type: application/x-ndjson\r\n", "Expect: 100-continue\r\n",
        "Idempotency-Key: a\r\n", "Authorization: Basic !!!\r\n", "X-Forwarded-For: ,,;\r\n",
        "Connection: upgrade\r\nUpgrade: h2c\r\n", "Range: bytes=0-0\r\n",
        "&action=a", "&id=", "\"id\":1,", "\"action\":\"view\",", "ffffffff\r\n", "0\r\n\r\n",
    ];

    public static byte[] Next(Random random)
    {
        var request = FuzzRequests.All[random.Next(FuzzRequests.All.Count)];
        var (head, body) = (request.Head.ToList(), request.Body.ToList());
        for (var changes = random.Next((random.Next(4) == 0 ? WildChangesMax : ChangesMax) + 1); changes > 0; changes--)
            Change(random, body.Count == 0 || random.Next(3) == 0 ? head : body);

        var chunked = Encoding.Latin1.GetString([.. head]).Contains("chunked", StringComparison.OrdinalIgnoreCase);
        var length = random.NextDouble() < RightLengthShare ? body.Count : random.Next(-1, 2 * body.Count + 2);
        if (!chunked && (body.Count > 0 || length != 0))
            head.AddRange(
                Encoding.Latin1.GetBytes(string.Create(CultureInfo.InvariantCulture, $"Content-Length: {length}\r\n")));
        return [.. head, (byte)'\r', (byte)'\n', .. body];
    }

    private static void Change(Random random, List<byte> bytes)
    {
        var at = random.Next(bytes.Count + 1);
        var length = Math.Min(random.Next(1, 40), bytes.Count - at);
        switch (random.Next(8))
        {
            case 0 when at < bytes.Count:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1 when at < bytes.Count:
                bytes[at] = (byte)random.Next(256);
                break;
            case 2:
                bytes.RemoveRange(at, length);
                break;
            case 3:
                bytes.InsertRange(random.Next(bytes.Count + 1), bytes.GetRange(at, length));
                break;
            case 4 when random.Next(4) == 0:
                bytes.RemoveRange(at, bytes.Count - at);
                break;
            case 5 when random.Next(4) == 0: // long: one odd text, repeated
                bytes.InsertRange(at,
                    Enumerable.Repeat(Latin1(Odd[random.Next(Odd.Length)]), random.Next(1, 5_000))
                        .SelectMany(odd => odd));
                break;
            case 6:
                var other = FuzzRequests.All[random.Next(FuzzRequests.All.Count)].Body;
                bytes.InsertRange(at, other.AsSpan(random.Next(other.Length + 1)).ToArray());
                break;
            default:
                bytes.RemoveRange(at, random.Next(2) * length);
                bytes.InsertRange(at, Latin1(Odd[random.Next(Odd.Length)]));
                break;
        }
    }

    private static byte[] Latin1(string text) => Encoding.Latin1.GetBytes(text);
}
