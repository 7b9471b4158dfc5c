using System.Net;
using System.Net.Sockets;
using System.Text;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>HTTP/1.0, which some proxies speak by default. An answer without an end of its own is not sent.</summary>
[Collection<SharedApp>]
public sealed class OldHttp(SharedApps apps)
{
    private readonly string visitor = "visitor-" + Guid.NewGuid();

    [Theory, EachStorage]
    public async Task An_export_which_would_look_whole_when_it_breaks_off_is_refused(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        Assert.Equal(200, (await app.PostForm($"action=view&product=k8s&fingerprint={visitor}")).Status);
        foreach (var format in (string[])["ndjson", "csv", "parquet"])
        {
            var answer = await Ask(app, $"/api/export?format={format}");
            Assert.StartsWith("HTTP/1.1 426 ", answer);
            Assert.Contains("\r\nUpgrade: HTTP/1.1\r\n", answer);
            Assert.Contains("\r\nContent-Length: ", answer);
            Assert.Contains("\"http_1_1_needed\"", answer);
            Assert.DoesNotContain(visitor, answer);
        }
        Assert.Equal(200, (int)(await app.Http.GetAsync("/api/export?product=none")).StatusCode);
    }

    [Theory, EachStorage]
    public async Task All_else_is_answered_with_its_length(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        Assert.Equal(200, (await app.PostForm($"action=view&product=k8s&fingerprint={visitor}")).Status);
        foreach (var path in (string[])[$"/api/fingerprints/{visitor}", $"/api/fingerprints/{visitor}/events",
            "/api/totals", "/metrics", "/tally.js", "/openapi/v1.json", "/health/ready"])
        {
            var answer = await Ask(app, path);
            Assert.StartsWith("HTTP/1.1 200 ", answer);
            var parts = answer.Split("\r\n\r\n", 2);
            Assert.Contains($"\r\nContent-Length: {Encoding.UTF8.GetByteCount(parts[1])}\r\n", parts[0] + "\r\n");
        }
        var post = await Ask(app, $"action=view&product=k8s&fingerprint={visitor}",
            "POST /api/events HTTP/1.0\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {0}\r\n\r\n{1}");
        Assert.StartsWith("HTTP/1.1 200 ", post);
        Assert.Contains("\"sequence\":2", post);
    }

    // Each message has an end of its own and a reader reconnects, so nobody takes a broken stream for a whole one.
    [Theory, EachStorage]
    public async Task A_live_stream_is_told_as_ever(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        Assert.Equal(200, (await app.PostForm($"action=view&product=k8s&fingerprint={visitor}")).Status);
        using var socket = await Send(app, $"GET /api/fingerprints/{visitor}/live?after=0 HTTP/1.0\r\n\r\n");
        var (text, buffer) = (new StringBuilder(), new byte[4096]);
        await Eventually.True(async () =>
        {
            text.Append(Encoding.UTF8.GetString(buffer, 0, await socket.ReceiveAsync(buffer)));
            return text.ToString().Contains("\nid: 1\ndata: {\"sequence\":1,", StringComparison.Ordinal)
                && text.ToString().EndsWith("\n\n", StringComparison.Ordinal);
        }, () => $"It came as {text}");
        Assert.Contains("\r\nContent-Type: text/event-stream\r\n", text.ToString());
        Assert.DoesNotContain("chunked", text.ToString());
    }

    private static async Task<string> Ask(AppProcess app, string path)
    {
        using var socket = await Send(app, $"GET {path} HTTP/1.0\r\n\r\n");
        return await ReadToEnd(socket);
    }

    private static async Task<string> Ask(AppProcess app, string body, string request)
    {
        using var socket = await Send(app, string.Format(null, request, body.Length, body));
        return await ReadToEnd(socket);
    }

    private static async Task<Socket> Send(AppProcess app, string request)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, app.Port);
        await socket.SendAsync(Encoding.ASCII.GetBytes(request));
        return socket;
    }

    private static async Task<string> ReadToEnd(Socket socket)
    {
        using var whole = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (await socket.ReceiveAsync(buffer) is > 0 and var read) whole.Write(buffer, 0, read);
        return Encoding.UTF8.GetString(whole.ToArray());
    }
}
