using System.Text;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>Who may write and who may read once there are keys. Storage plays no part in it.</summary>
public sealed class Keys(PostgresServer server)
{
    private const string Writer = "writer-0123456789abcdef";
    private const string Bound = "bound-0123456789abcdef";
    private const string Reader = "reader-0123456789abcdef";
    private const string Both = "both-0123456789abcdef";
    private static readonly string[] Questions = ["/api/totals", "/api/top?of=products", "/api/export?format=csv",
        "/api/fingerprints", "/api/uniques", "/api/present", "/api/top?of=fingerprints", "/api/annotations",
        "/api/shares", "/api/funnel?steps=view,buy", "/api/sessions", "/api/verifications", "/api/cluster",
        "/api/funnels", "/api/rules", "/api/rules/schema", "/api/firings"];
    private const string Form = "action=view&product=k8s&fingerprint=keyed";

    private static readonly Dictionary<string, string> AllKeys = new()
    {
        ["APP_WRITE_KEYS"] =
            $"{Writer}\n{Bound};products=k8s,a%2Cb;origins=https://shop.example,http://localhost:5173\n{Both}\n",
        ["APP_READ_KEYS"] = $"{Reader} {Both}",
    };

    [Fact]
    public Task Without_a_key_or_with_an_unknown_one_nothing_is_written_or_read() => WithKeys(AllKeys, async app =>
    {
        foreach (var (header, reason) in ((string?, string)[])
                 [
                     (null, "missing_key"), ($"Bearer {Writer}x", "unknown_key"),
                     ($"Bearer {Writer[..^1]}", "unknown_key"),
                     ($"Bearer {Writer.ToUpperInvariant()}", "unknown_key"), (Writer, "unknown_key"),
                     ("Bearer", "unknown_key"), ("Bearer ", "unknown_key"),
                     ($"Digest {Writer}", "unknown_key"), ($"Bearer {Writer}, Bearer {Reader}", "unknown_key"),
                     ("Basic", "unknown_key"), ("Basic !", "unknown_key"),
                     (Basic(""), "unknown_key"), (Basic(":" + Writer), "unknown_key"),
                     (Basic(new string('x', 10_000)), "unknown_key"),
                     ("Bearer " + new string('x', 10_000), "unknown_key"),
                 ])
        {
            foreach (var path in (string[])["/api/events", "/api/fingerprints/keyed", "/api/fingerprints/keyed/events",
                "/api/fingerprints/keyed/timeline", "/api/fingerprints/keyed/activity",
                .. Questions, "/metrics"])
            {
                var answer = await Send(app, path, header);
                answer.AssertRefused(401, reason);
                Assert.Equal("Bearer realm=\"tally\"", answer.Headers.WwwAuthenticate.ToString());
            }
        }
        foreach (var query in (string[])["?writeKey=", "?writeKey=" + Reader, $"?writeKey={Writer}&writeKey={Writer}",
            "?writeKey=x" + Writer])
            Assert.Equal(401, (await Send(app, "/api/events" + query, null)).Status);
        (await Send(app, "/api/fingerprints/keyed?writeKey=" + Both, $"Bearer {Writer}x")).AssertRefused(401,
            "unknown_key");
        (await Send(app, "/api/fingerprints/keyed", $"Bearer {Reader}")).AssertRefused(404, "unknown_fingerprint",
            "fingerprint");
    });

    [Fact]
    public Task Each_key_is_for_its_own_side_in_every_form() => WithKeys(AllKeys, async app =>
    {
        foreach (var key in (string[])[Writer, Both])
        {
            foreach (var header in (string[])["Bearer " + key, "bearer  " + key, Basic(key + ":"), Basic(key),
                Basic(key + ":any")])
                Assert.Equal(200, (await Send(app, "/api/events", header)).Status);
            Assert.Equal(200, (await Send(app, "/api/events?writeKey=" + key, null)).Status);
        }
        foreach (var key in (string[])[Reader, Both])
            foreach (var path in (string[])["/api/fingerprints/keyed", "/api/fingerprints/keyed/events", .. Questions,
                "/metrics"])
                foreach (var header in (string[])["Bearer " + key, Basic(key + ":")])
                    Assert.Equal(200, (await Send(app, path, header)).Status);

        (await Send(app, "/api/events", "Bearer " + Reader)).AssertRefused(403, "key_not_for_writing");
        foreach (var path in (string[])["/api/fingerprints/keyed", .. Questions])
            (await Send(app, path, "Bearer " + Writer)).AssertRefused(403, "key_not_for_reading");
        (await Send(app, "/api/fingerprints/keyed?writeKey=" + Writer, null)).AssertRefused(403, "key_not_for_reading");
        var view = await Send(app, "/api/fingerprints/keyed", "Bearer " + Reader);
        Assert.Equal(12, view.Body.GetProperty("total").GetInt64());
    });

    [Fact]
    public Task A_bound_key_sends_its_products_from_its_origins_alone() => WithKeys(AllKeys, async app =>
    {
        foreach (var (header, value) in ((string, string)[])
                 [("Origin", "https://shop.example"), ("Origin", "HTTP://LOCALHOST:5173"),
                     ("Referer", "https://shop.example/a?b"), ("Referer", "https://shop.example")])
            foreach (var product in (string[])["k8s", "a,b"])
                Assert.Equal(200, (await Post(app, product, header, value)).Status);

        (await Post(app, "other", "Origin", "https://shop.example")).AssertRefused(403, "product_not_allowed",
            "product");
        (await Post(app, "K8S", "Origin", "https://shop.example")).AssertRefused(403, "product_not_allowed", "product");
        foreach (var (header, value) in ((string, string)[])
                 [("Origin", "https://shop.example.evil"), ("Origin", "http://shop.example"),
                     ("Origin", "https://shop.example:8443"), ("Origin", "null"),
                  ("Referer", "https://evil/https://shop.example"), ("Referer", "shop.example"),
                  ("X-Origin", "https://shop.example")])
            (await Post(app, "k8s", header, value)).AssertRefused(403, "origin_not_allowed");

        Task<Answer> Post(AppProcess to, string product, string header, string value) =>
            Send(to, "/api/events", "Bearer " + Bound,
                $"action=view&product={Uri.EscapeDataString(product)}&fingerprint=keyed", (header, value));
    });

    [Fact]
    public async Task Each_side_is_guarded_by_its_own_keys_and_the_first_line_says_which()
    {
        foreach (var (name, write, read, line) in ((string?, int, int, string)[])
                 [
                     (null, 200, 200, "no keys are set: everyone may write, read and erase"),
                     ("APP_WRITE_KEYS", 401, 200, "writing needs a key, everyone may read"),
                     ("APP_READ_KEYS", 200, 401, "reading needs a key, everyone may write"),
                 ])
            await WithKeys(name is null ? [] : new() { [name] = Both }, async app =>
            {
                Assert.Equal(200, (await Send(app, "/api/events?writeKey=" + Both, "Bearer " + Both)).Status);
                Assert.Equal(write, (await Send(app, "/api/events", null)).Status);
                Assert.Equal(read, (await Send(app, "/api/fingerprints/keyed", null)).Status);
                Assert.Equal(read, (await Send(app, "/metrics", null)).Status);
                Assert.Contains(line, app.Output);
            });
    }

    [Fact]
    public Task Health_and_the_description_need_none_and_no_key_is_logged() => WithKeys(
        new(AllKeys)
        {
            ["Logging__LogLevel__Default"] = "Trace",
            ["Logging__LogLevel__Microsoft.AspNetCore"] = "Information"
        }, async app =>
    {
        foreach (var path in (string[])["/health/live", "/health/ready", "/openapi/v1.json"])
            Assert.Equal(200, (await Send(app, path, null)).Status);
        (await Send(app, "/nowhere", null)).AssertRefused(404, "not_found");
        foreach (var key in (string[])[Writer, Bound, Reader, "no-such-0123456789abcdef"])
        {
            await Send(app, "/api/events", "Bearer " + key);
            await Send(app, "/api/events", Basic(key));
            await Send(app, "/api/fingerprints/keyed", "Bearer " + key);
        }
        Assert.DoesNotContain("0123456789abcdef", app.Output);
    });

    private async Task WithKeys(Dictionary<string, string> environment, Func<AppProcess, Task> test)
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database, environment);
        await test(app);
    }

    private static string Basic(string user) => "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(user));

    private static Task<Answer> Send(AppProcess app, string path, string? authorization, string form = Form,
        (string Name, string Value)? header = null)
    {
        var posts = path.StartsWith("/api/events", StringComparison.Ordinal);
        var request = new HttpRequestMessage(posts ? HttpMethod.Post : HttpMethod.Get, path);
        if (posts) request.Content = new StringContent(form, null, "application/x-www-form-urlencoded");
        if (authorization is not null) request.Headers.TryAddWithoutValidation("Authorization", authorization);
        if (header is var (name, value)) request.Headers.TryAddWithoutValidation(name, value);
        return app.Send(request);
    }
}
