using System.Net.Http.Headers;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>What pages of other origins may read: the answers to events, if -corsOrigins names the origin.</summary>
public sealed class CrossOrigin(PostgresServer server)
{
    private const string Shop = "https://shop.example";
    private const string Good = "action=view&product=k8s&fingerprint=cors";

    [Fact]
    public async Task Without_origins_no_page_reads_anything()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database);
        Assert.Null(Allowed(await Post(app, Shop, Good)));
        Assert.Null(Allowed(await Preflight(app, Shop)));
    }

    [Fact]
    public async Task With_origins_their_pages_read_receipts_and_refusals_and_no_other_page_does()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app =
            await AppProcess.Start(database, flags: ["-corsOrigins", "https://Shop.Example,http://localhost:8080"]);
        foreach (var origin in (string[])[Shop, "http://localhost:8080"])
        {
            var receipt = await Post(app, origin, Good);
            Assert.Equal((200, origin), (receipt.Status, Allowed(receipt)));
            Assert.Equal("true", receipt.Headers.GetValues("Access-Control-Allow-Credentials").Single());
            Assert.Contains("Origin", receipt.Headers.Vary); // a cache must not give one page's answer to another
            var refusal = await Post(app, origin, "action=view");
            refusal.AssertRefused(422, "missing_field", "product");
            Assert.Equal(origin, Allowed(refusal));
            var pixel = await Send(app, HttpMethod.Get, "/api/pixel.gif?" + Good, origin);
            Assert.Equal((200, origin), (pixel.Status, Allowed(pixel)));

            var preflight = await Preflight(app, origin);
            Assert.Equal((204, origin), (preflight.Status, Allowed(preflight)));
            Assert.Contains("POST", preflight.Headers.GetValues("Access-Control-Allow-Methods").Single());
            Assert.Equal("content-type,idempotency-key,authorization",
                preflight.Headers.GetValues("Access-Control-Allow-Headers").Single());
            Assert.Equal("true", preflight.Headers.GetValues("Access-Control-Allow-Credentials").Single());
        }
        foreach (var origin in (string[])["https://shop.example.org", "http://shop.example",
            "https://shop.example:8443", "http://localhost", "null",
                     "https://evil.example", "https://shop.example.", "*", "", "x"])
        {
            Assert.Null(Allowed(await Post(app, origin, Good)));
            Assert.Null(Allowed(await Preflight(app, origin)));
        }
    }

    [Fact]
    public async Task What_is_counted_is_for_no_page_even_where_any_may_send()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database, new() { ["APP_CORS_ORIGINS"] = "*" });
        foreach (var origin in (string[])[Shop, "null"])
        {
            Assert.Equal("*", Allowed(await Post(app, origin, Good)));
            var preflight = await Preflight(app, origin);
            Assert.Equal("*", Allowed(preflight));
            // not allowed together with any origin
            Assert.False(preflight.Headers.Contains("Access-Control-Allow-Credentials"));
        }
        foreach (var path in (string[])["/api/fingerprints/cors", "/api/fingerprints/cors/events", "/metrics",
            "/openapi/v1.json", "/health/ready"])
        {
            var answer = await Send(app, HttpMethod.Get, path, Shop);
            Assert.Equal((200, null), (answer.Status, Allowed(answer)));
        }
    }

    [Fact]
    public async Task What_no_endpoint_takes_is_refused_so_that_a_page_reads_why()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database, flags: ["-corsOrigins", Shop]);
        foreach (var (method, path, status, reason) in ((string, string, int, string)[])
                 [
                     ("PUT", "/api/events", 405, "method_not_allowed"),
                     ("GET", "/api/events/batch", 405, "method_not_allowed"),
                     ("POST", "/api/pixel.gif", 405, "method_not_allowed"),
                     ("GET", "/v1/track", 405, "method_not_allowed"), ("POST", "/v1/nothing", 404, "not_found"),
                     ("POST", "/api/events/nothing", 404, "not_found"),
                     ("POST", "/api/events", 415, "unsupported_media_type"),
                     ("POST", "/api/events/batch", 415, "unsupported_media_type"),
                     ("POST", "/v1/track", 415, "unsupported_media_type"),
                     ("POST", "/v1/batch", 415, "unsupported_media_type"),
                 ])
            foreach (var type in (string[])["image/png", "x", "application/xml; charset=\"utf-8"])
                foreach (var origin in (string[])[Shop, "https://evil.example"])
                {
                    var content = method == "GET" ? null : new ByteArrayContent([1, 2]);
                    content?.Headers.TryAddWithoutValidation("Content-Type", type);
                    var answer = await Send(app, HttpMethod.Parse(method), path, origin, content);
                    answer.AssertRefused(status, reason);
                    Assert.All((string[])["detail", "type"], name => Assert.NotEmpty(answer.Text(name)!));
                    Assert.Equal(origin == Shop ? Shop : null, Allowed(answer));
                }
        foreach (var (method, path) in ((string, string)[])[("POST", "/api/totals"), ("GET", "/nothing"),
            ("GET", "/api/eventsofothers"), ("PUT", "/api/fingerprints/cors"), ("POST", "/health/live")])
        {
            var answer = await Send(app, HttpMethod.Parse(method), path, Shop);
            Assert.InRange(answer.Status, 404, 405);
            Assert.Null(Allowed(answer));
        }
    }

    [Fact]
    public async Task The_script_and_the_pixel_are_for_every_page()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database);
        foreach (var path in (string[])["/tally.js", "/api/pixel.gif?" + Good, "/api/pixel.gif"])
            foreach (var method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Head])
                foreach (var origin in (string[])[Shop, "null"])
                {
                    var answer = await Send(app, method, path, origin);
                    Assert.Equal("*", Allowed(answer));
                    Assert.Equal("cross-origin", answer.Headers.GetValues("Cross-Origin-Resource-Policy").Single());
                }
    }

    private static Task<Answer> Post(AppProcess app, string origin, string form) =>
        Send(app, HttpMethod.Post, "/api/events", origin,
            new StringContent(form, new MediaTypeHeaderValue("application/x-www-form-urlencoded")));

    private static Task<Answer> Preflight(AppProcess app, string origin) =>
        Send(app, HttpMethod.Options, "/api/events", origin, null,
        ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", "content-type,idempotency-key,authorization"));

    private static Task<Answer> Send(
        AppProcess app, HttpMethod method, string path, string origin, HttpContent? content = null,
        params (string, string)[] headers)
    {
        var request = new HttpRequestMessage(method, path) { Content = content };
        foreach (var (name, value) in headers.Append(("Origin", origin)))
            request.Headers.TryAddWithoutValidation(name, value);
        return app.Send(request);
    }

    private static string? Allowed(Answer answer) =>
        answer.Headers.TryGetValues("Access-Control-Allow-Origin", out var values) ? values.Single() : null;
}
