using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>An event in an image's address.</summary>
[Collection<SharedApp>]
public sealed class ThePixel(SharedApps apps)
{
    private readonly string visitor = "pixel-" + Guid.NewGuid();

    [Theory, EachStorage]
    public async Task It_is_an_image_after_the_commit_and_no_cache_keeps_it(StorageKind storage)
    {
        var shared = await apps.On(storage);
        Task<HttpResponseMessage> waiting;
        await using (await shared.Database.HoldWrites())
        {
            waiting = shared.App.Http.GetAsync(Url("&id=mail-17"));
            (await shared.App.View(visitor)).AssertRefused(404, "unknown_fingerprint", "fingerprint");
            Assert.False(waiting.IsCompleted);
        }
        using var response = await waiting;
        Assert.Equal((200, "image/gif", "no-store"),
            ((int)response.StatusCode, response.Content.Headers.ContentType?.ToString(),
                response.Headers.CacheControl?.ToString()));
        var image = await response.Content.ReadAsByteArrayAsync();
        Assert.Equal("GIF89a\x01\0\x01\0", System.Text.Encoding.Latin1.GetString(image[..10]));
        Assert.Equal(0x3B, image[^1]);
        Assert.Equal(1, await shared.Rows(visitor));
    }

    [Theory, EachStorage]
    public async Task With_an_id_it_counts_once_and_without_one_each_time(StorageKind storage)
    {
        var shared = await apps.On(storage);
        var answers = await Task.WhenAll(Enumerable.Range(0, 32).Select(_ => shared.App.Get(Url("&id=mail-17"))));
        Assert.All(answers, answer => Assert.Equal(200, answer.Status));
        Assert.Equal(1, await shared.Rows(visitor));
        for (var i = 0; i < 2; i++) Assert.Equal(200, (await shared.App.Get(Url(""))).Status);
        Assert.Equal(3, await shared.Rows(visitor));
    }

    [Theory, EachStorage]
    public async Task It_takes_every_field(StorageKind storage)
    {
        var shared = await apps.On(storage);
        var happened = DateTime.UtcNow.AddDays(-1).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'");
        Assert.Equal(200,
            (await shared.App.Get(
                Url($"&properties=%7B%22list%22%3A%22a+b%22%7D&timestamp={happened}&utm_source=mail&writeKey=x"))).Status);
        var logged = (await shared.App.Get(Requests.Path(visitor) + "/events")).Body.GetProperty("events")[0];
        Assert.Equal(("view", "k8s", "a b", happened),
            (logged.GetProperty("action").GetString(), logged.GetProperty("product").GetString(),
            logged.GetProperty("properties").GetProperty("list").GetString(),
            logged.GetProperty("occurred").GetString()));
    }

    [Theory, EachStorage]
    public async Task A_refusal_says_why_instead_of_showing_an_image(StorageKind storage)
    {
        var shared = await apps.On(storage);
        (string Query, int Status, string Reason, string? Field)[] refused =
        [
            ("", 422, "missing_field", "action"), ("?", 422, "missing_field", "action"),
            ("?action=view", 422, "missing_field", "product"),
            ($"?action=view&product=k8s", 422, "missing_field", "fingerprint"),
            ($"?action=view&product=k8s&fingerprint=", 422, "missing_field", "fingerprint"),
            ($"?action=view&action=view&product=k8s&fingerprint={visitor}", 422, "duplicate_field", "action"),
            ($"?action=vi%0Aew&product=k8s&fingerprint={visitor}", 422, "invalid_characters", "action"),
            ($"?action=vi%C3%28ew&product=k8s&fingerprint={visitor}", 400, "malformed_body", null),
            ($"?action={new string('a', 257)}&product=k8s&fingerprint={visitor}", 422, "too_long", "action"),
            ($"?action=view&product=k8s&fingerprint={visitor}&properties=%5B%5D", 422, "invalid_properties",
                "properties"),
            ($"?action=view&product=k8s&fingerprint={visitor}&timestamp=yesterday", 422, "invalid_timestamp",
                "timestamp"),
        ];
        foreach (var (query, status, reason, field) in refused)
        {
            var answer = await shared.App.Get("/api/pixel.gif" + query);
            Assert.True((answer.Status, answer.Reason, answer.Field) == (status, reason, field),
                $"{query}: {answer.Status} {answer.Reason} {answer.Field}");
            answer.AssertRefused(status, reason, field);
            Assert.True(answer.Headers.CacheControl?.NoStore);
        }
        Assert.Equal(0, await shared.Rows(visitor));

        Assert.Equal(200, (await shared.App.Get(Url("&id=a"))).Status);
        (await shared.App.Get(Url("&id=a").Replace("view", "buy"))).AssertRefused(409, "id_conflict", "id");
        Assert.Equal(1, await shared.Rows(visitor));
        // A program may look at the image with HEAD before anybody sees it.
        (await shared.App.Send(new(HttpMethod.Post, Url("")))).AssertRefused(405, "method_not_allowed");
        using var head = await shared.App.Http.SendAsync(new(HttpMethod.Head, Url("")));
        Assert.Equal((200, "image/gif"), ((int)head.StatusCode, head.Content.Headers.ContentType?.ToString()));
        Assert.Equal(1, await shared.Rows(visitor));
    }

    private string Url(string more) => $"/api/pixel.gif?action=view&product=k8s&fingerprint={visitor}{more}";
}
