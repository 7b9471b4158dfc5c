using System.Net.Http.Headers;
using System.Text;
using System.Text.RegularExpressions;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>
/// A plain post of an event goes past the middleware. Any other, such as one with a query, goes through it, and is
/// answered and counted in the same way.
/// </summary>
public sealed class ThePlainPost(PostgresServer server)
{
    private const string Plain = "visitor-1", Other = "visitor-2";
    private const string Form = "application/x-www-form-urlencoded", Json = "application/json";

    private static readonly (string? Type, string Body, string? Key, string? Agent)[] Posts =
    [
        (Form, "action=view&product=k8s&fingerprint=f", null, null),
        (Form, "action=view&product=k8s&fingerprint=f&id=1", null, null),
        (Form, "action=view&product=k8s&fingerprint=f&id=1", null, null),
        (Form, "action=other&product=k8s&fingerprint=f&id=1", null, null),
        (Form, "action=view&product=k8s&fingerprint=f", "1", null),
        (Form, "action=view&product=k8s&fingerprint=f", "1, 2", null),
        (Form + "; charset=utf-8", "action=%C3%A9&product=k8s&fingerprint=f&properties=%7B%22a%22%3A1%7D", null, null),
        (Form, "action=view&product=k8s", null, null),
        (Form, "action=view&product=k8s&fingerprint=%00", null, null),
        (Form, "action=%zz", null, null),
        (Form, "{}", null, null),
        (Form, "", null, null),
        (Form, "a=" + new string('x', 64 * 1024), null, null),
        (Json, """{"action": "view", "product": "k8s", "fingerprint": "f", "properties": {"plan": "pro"}}""", null, null),
        (Json, """{"action": "view", "action": "view"}""", null, null),
        (Json, "[", null, null),
        ("text/plain", """{"action": "view", "product": "k8s", "fingerprint": "f"}""", null, null),
        ("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"action\"\r\n\r\nview\r\n--b--\r\n", null, null),
        ("text/xml", "<a/>", null, null),
        (null, "action=view", null, null),
        (Form, "action=view&product=k8s&fingerprint=f", null, "Googlebot/2.1 (+http://www.google.com/bot.html)"),
    ];

    [Theory, EachStorage]
    public async Task It_is_answered_and_counted_as_any_other(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var app = await AppProcess.Start(at, flags: ["-bots=ignore", "-corsOrigins=https://shop.example"]);
        await AreTheSame(app);
        var metrics = await PrometheusText.Scrape(app);
        Assert.Equal(2 * Posts.Length,
            metrics.Sum("http_server_request_duration_seconds_count", "http_route=\"/api/events\""));
        Assert.Equal((await app.View(Plain)).Body.GetProperty("total").GetInt64(),
            (await app.View(Other)).Body.GetProperty("total").GetInt64());
    }

    [Theory]
    [InlineData("APP_WRITE_KEYS", "secret-0123456789abcdef")]
    [InlineData("APP_READ_KEYS", "secret-0123456789abcdef")]
    [InlineData("APP_ERASE_KEYS", "secret-0123456789abcdef")]
    [InlineData("APP_TRUSTED_PROXIES", "127.0.0.1")]
    public async Task What_the_operator_asks_of_all_is_asked_of_it(string variable, string value)
    {
        await using var at = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(at, new() { [variable] = value });
        await AreTheSame(app);
        if (variable == "APP_WRITE_KEYS")
            (await app.PostForm("action=a&product=p&fingerprint=f")).AssertRefused(401, "missing_key");
    }

    private static async Task AreTheSame(AppProcess app)
    {
        foreach (var (post, at) in Posts.Select((post, at) => (post, at)))
        {
            var plain = await Send(app, post, Plain, "");
            var other = await Send(app, post, Other, "?not=plain");
            Assert.True(plain == other, $"{at}: {post.Type} {post.Body}\n{plain}\n{other}");
        }
    }

    // Status, headers and body, without what is never twice the same.
    private static async Task<string> Send(AppProcess app, (string? Type, string Body, string? Key, string? Agent) post,
        string fingerprint, string query)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/events" + query)
        {
            Content = new ByteArrayContent(Encoding.UTF8.GetBytes(
                post.Body.Replace("fingerprint=f", "fingerprint=" + fingerprint, StringComparison.Ordinal)
                    .Replace("\"f\"", $"\"{fingerprint}\"", StringComparison.Ordinal))),
        };
        if (post.Type is not null) request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(post.Type);
        if (post.Key is not null) request.Headers.Add("Idempotency-Key", post.Key);
        if (post.Agent is not null) request.Headers.UserAgent.ParseAdd(post.Agent);
        using var response = await app.Http.SendAsync(request);
        response.Headers.Date = null;
        var body = await response.Content.ReadAsStringAsync();
        return $"{(int)response.StatusCode} {response.Headers}{response.Content.Headers}{WithoutMadeIds(body)}"
            .Replace(fingerprint, "f", StringComparison.Ordinal);
    }

    // An id that was made here, of a receipt or of a refusal that can be tried again.
    private static string WithoutMadeIds(string body) =>
        Regex.Replace(body, "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "made");
}
