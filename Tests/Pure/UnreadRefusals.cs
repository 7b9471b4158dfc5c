using System.Text;
using System.Text.Json;
using Tally.Silo.Http.AbuseLimits;

namespace Tally.Tests.Pure;

/// <summary>
/// Requests that the server could not read are refused with the usual document. Everything else is written as it is.
/// </summary>
public sealed class UnreadRefusals
{
    private const string Refused =
        "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\nDate: Sat, 28 Nov 2026 04:00:00 GMT\r\n\r\n";

    [Theory]
    [InlineData(400)]
    [InlineData(405)]
    [InlineData(408)]
    [InlineData(411)]
    [InlineData(413)]
    [InlineData(414)]
    [InlineData(431)]
    [InlineData(505)]
    public void A_refusal_without_a_body_gets_the_document(int status)
    {
        var answer = Explain(Refused.Replace("400", $"{status}"));
        var end = answer.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        var (head, body) = (answer[..end].Split("\r\n"), answer[(end + 4)..]);
        Assert.Equal([$"HTTP/1.1 {status} Bad Request", $"Content-Length: {body.Length}",
            "Content-Type: application/problem+json", "Connection: close", "Date: Sat, 28 Nov 2026 04:00:00 GMT"],
            head);
        var document = JsonDocument.Parse(body).RootElement;
        Assert.Equal(status, document.GetProperty("status").GetInt32());
        Assert.All((string[])["title", "reason", "detail", "type"],
            name => Assert.NotEmpty(document.GetProperty(name).GetString()!));
    }

    [Fact]
    public void Everything_else_is_written_as_it_is()
    {
        foreach (var answer in (string[])
                 [
                     "", "H", "HTTP/1.1 ", "HTTP/1.1 4", Refused[..^1], Refused[..^4], Refused + "x", "x" + Refused,
                     Refused.Replace("HTTP/1.1", "HTTP/1.0"),
                     Refused.Replace("400 Bad Request", "200 OK"), Refused.Replace("400", "499"),
                     Refused.Replace("400", "500"), Refused.Replace("400", "4x0"),
                     Refused.Replace("Content-Length: 0", "Content-Length: 1"),
                     Refused.Replace("Connection: close", "Connection: keep-alive"),
                     Refused.Replace("Content-Length: 0\r\n", "Transfer-Encoding: chunked\r\n"),
                     Refused.Replace("Date", new string('X', 300)), Refused.Replace("\r\n", "\n"),
                 ])
            Assert.Equal(answer, Explain(answer));
        for (var room = Refused.Length; room < Explain(Refused).Length; room++)
            Assert.Equal(Refused, Explain(Refused, room));
    }

    private static string Explain(string written, int room = 1024)
    {
        var bytes = new byte[Math.Max(room, written.Length)];
        Encoding.Latin1.GetBytes(written, bytes);
        return Encoding.Latin1.GetString(bytes, 0, UnreadRequests.Explain(bytes, written.Length));
    }
}
