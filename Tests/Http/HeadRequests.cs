using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>
/// HEAD, as uptime monitors and mail proxies send it. It answers what GET would, without a body, and does nothing.
/// </summary>
public sealed class HeadRequests(PostgresServer server, SharedApps apps) : IClassFixture<SharedApps>
{
    private const string Next = "GET /health/live HTTP/1.1\r\nHost: tally\r\nConnection: close\r\n\r\n";

    [Theory, EachStorage]
    public async Task Every_endpoint_answers_it_as_GET_without_a_body(StorageKind storage)
    {
        var shared = await apps.On(storage);
        Assert.Equal(200, (await shared.App.PostForm("action=view&product=k8s&fingerprint=head")).Status);
        var description = (await shared.App.Get("/openapi/v1.json")).Body.GetProperty("paths");
        var described =
            description.EnumerateObject().Where(path => path.Value.TryGetProperty("get", out _))
                .Select(path => path.Name.Replace("{fingerprint}", "head"));
        Assert.DoesNotContain("head",
            description.EnumerateObject().SelectMany(path => path.Value.EnumerateObject())
                .Select(method => method.Name));
        foreach (var path in (string[])
                 [
                     .. described, "/metrics", "/tally.js", "/openapi/v1.json", "/v1/projects/k8s/settings",
                     "/api/top?of=products", "/api/export?format=csv",
                     "/api/totals?bucket=week", "/api/live?product=", "/api/fingerprints/nobody",
                     "/api/fingerprints/%ff", "/nothing",
                     "/api/pixel.gif?action=open&product=news&fingerprint=of-the-head",
                 ])
        {
            using var get = await shared.App.Http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead);
            var (status, headers) = await Head(shared.App, path);
            Assert.True((int)get.StatusCode == status, $"{path}: {status} and not {get.StatusCode}");
            var expected =
                get.Headers.Concat(get.Content.Headers)
                    .SelectMany(header => header.Value.Select(value => $"{header.Key}: {value}"));
            Assert.Equal(Compared(expected, path), Compared(headers, path));
        }
        // only the one that was sent with GET
        Assert.Equal(1, await shared.Rows("of-the-head"));
    }

    [Theory, EachStorage]
    public async Task A_pixel_is_not_recorded_by_it(StorageKind storage)
    {
        var shared = await apps.On(storage);
        const string good = "action=open&product=news&fingerprint=looked-at&id=mail-17";
        var (status, headers) = await Head(shared.App, "/api/pixel.gif?" + good);
        Assert.Equal(200, status);
        Assert.Contains("Content-Type: image/gif", headers);
        foreach (var bad in (string[])["", "?action=open", $"?{good}&action=again"])
            Assert.InRange((await Head(shared.App, "/api/pixel.gif" + bad)).Status, 400, 422);
        Assert.Equal(0, await shared.Rows("looked-at"));
        Assert.Equal(200, (await shared.App.Get("/api/pixel.gif?" + good)).Status);
        Assert.Equal(1, await shared.Rows("looked-at"));
    }

    [Fact]
    public async Task Of_an_export_it_reads_nothing()
    {
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var app = await AppProcess.Start(database);
        await using (await database.Hold("lock table events in access exclusive mode"))
        {
            var (status, headers) = await Head(app, "/api/export?format=parquet");
            Assert.Equal(200, status);
            Assert.Contains("Content-Type: application/vnd.apache.parquet", headers);
        }
    }

    [Fact]
    public async Task A_method_in_other_letters_is_refused()
    {
        var (app, _) = await apps.On(StorageKind.Sqlite);
        foreach (var (method, path, allowed) in ((string, string, string)[])
                 [
                     ("HEAd", "/api/pixel.gif?action=open&product=news&fingerprint=small", "GET, HEAD"),
                     ("head", "/api/totals", "GET, HEAD"), ("Get", "/tally.js", "GET, HEAD"),
                     ("get", "/", "GET, HEAD"), ("Post", "/api/events", "POST"),
                 ])
        {
            var answers = await Send(app,
                $"{method} {path} HTTP/1.1\r\nHost: tally\r\nContent-Length: 0\r\n\r\n");
            Assert.StartsWith("HTTP/1.1 405 ", answers, StringComparison.Ordinal);
            Assert.Contains($"\r\nAllow: {allowed}\r\n", answers, StringComparison.Ordinal);
            Assert.Contains("\"reason\":\"method_not_allowed\"", answers, StringComparison.Ordinal);
            Assert.EndsWith("{\"status\":\"live\"}", answers, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_refused_method_is_told_the_methods_that_are_taken()
    {
        var (app, _) = await apps.On(StorageKind.Sqlite);
        var description = (await app.Get("/openapi/v1.json")).Body.GetProperty("paths");
        foreach (var path in description.EnumerateObject())
        {
            using var response =
                await app.Http.SendAsync(new(HttpMethod.Patch, path.Name.Replace("{fingerprint}", "head")));
            Assert.Equal(405, (int)response.StatusCode);
            var methods = path.Value.EnumerateObject().Select(method => method.Name.ToUpperInvariant()).ToList();
            if (methods.Contains("GET")) methods.Add("HEAD");
            Assert.Equal(methods.Order(), response.Content.Headers.Allow.Order());
        }
    }

    // The next answer must follow the head directly: then there was no body, and the answer had an end.
    private static async Task<(int Status, List<string> Headers)> Head(AppProcess app, string path)
    {
        var all = await Send(app, $"HEAD {path} HTTP/1.1\r\nHost: {app.Http.BaseAddress!.Authority}\r\n\r\n");
        var end = all.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", all[(end + 4)..]);
        Assert.Equal("live",
            JsonDocument.Parse(
                all[(all.LastIndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..]).RootElement.GetProperty("status")
                .GetString());
        var lines = all[..end].Split("\r\n");
        return (int.Parse(lines[0].Split(' ')[1]), [.. lines[1..]]);
    }

    // All answers, that to a request after it included.
    private static async Task<string> Send(AppProcess app, string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", app.Port);
        using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request + Next));
        using var reader = new StreamReader(stream, Encoding.Latin1);
        return await reader.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(60));
    }

    // Without the date, and without the framing of a body that has no length.
    private static IEnumerable<string> Compared(IEnumerable<string> headers, string path) => headers
        .Where(header =>
            !header.StartsWith("Date:", StringComparison.Ordinal)
                && !header.StartsWith("Transfer-Encoding:", StringComparison.Ordinal))
        .SelectMany(header =>
            header.StartsWith("Cache-Control:", StringComparison.Ordinal)
                ? header.Split(", ").Select(part => part.Replace("Cache-Control: ", "")) : [header])
        .Select(header => $"{path} {header.Replace("; ", ";")}").Order();
}
