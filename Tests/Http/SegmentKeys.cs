using System.Text;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>Segment's SDKs, and an import, when a write key is needed. Storage plays no part in it.</summary>
public sealed class SegmentKeys(PostgresServer server)
{
    private const string Shop = "shop-0123456789abcdef";
    private const string Page = "page-0123456789abcdef";
    private const string Two = "two-0123456789abcdef";
    private const string Free = "free-0123456789abcdef";
    private const string Track = """{"anonymousId":"XYZ","event":"view"}""";

    private static readonly Dictionary<string, string> Keys = new()
    {
        ["APP_WRITE_KEYS"] =
            $"{Shop};products=shop {Page};products=shop;origins=https://shop.example {Two};products=a,b {Free}",
    };

    [Fact]
    public async Task A_key_bound_to_one_product_names_it_and_is_not_itself_recorded()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database, Keys);
        foreach (var (body, key, origin) in ((string, string?, string?)[])
                 [
                     (Track, Shop, null), (WithKey(Shop), null, null), (WithKey("other"), Shop, null),
                     (Track, Page, "https://shop.example"),
                     (WithKey(Page), null, "https://shop.example"),
                 ])
            Assert.Equal(200, (await Post(app, body, key, origin)).Status);
        Assert.Equal(["shop"], await database.Query("select distinct product from events", row => row.GetString(0)));

        foreach (var (body, key, origin, status, reason) in ((string, string?, string?, int, string)[])
                 [
                     (Track, null, null, 401, "missing_key"), (WithKey(Shop + "x"), null, null, 401, "unknown_key"),
                     (Track, Shop + "x", null, 401, "unknown_key"),
                     (Track, Two, null, 403, "key_without_product"),
                     (WithKey(Free), null, null, 403, "key_without_product"),
                     (Track, Page, null, 403, "origin_not_allowed"),
                     (WithKey(Page), null, "https://other.example", 403, "origin_not_allowed"),
                 ])
            (await Post(app, body, key, origin)).AssertRefused(status, reason);
        Assert.Equal([5L], await database.Query("select count(*) from events", row => row.GetInt64(0)));
    }

    [Fact]
    public async Task A_key_with_history_counts_at_the_time_of_the_message_whichever_way_it_comes()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app =
            await AppProcess.Start(database,
                new() { ["APP_WRITE_KEYS"] = $"{Shop};products=shop;history=true {Page};products=shop {Free}" });
        const string old =
            """{"anonymousId":"XYZ","event":"EVENT","messageId":"EVENT","timestamp":"2019-05-05T00:00:00Z"}""";
        Assert.Equal(200, (await Post(app, old.Replace("EVENT", "history"), Shop, null)).Status);
        Assert.Equal(200, (await Post(app, old.Replace("EVENT", "arrival"), Page, null)).Status);
        foreach (var (key, action) in ((string, string)[])[(Free, "history"), (Page, "arrival"), (Shop, "history")])
            Assert.Equal(200,
                (await app.Post(
                    Encoding.UTF8.GetBytes(
                        $$"""{"action":"{{action}}","product":"shop","fingerprint":"page","timestamp":"2019-05-05T00:00:00Z"}"""),
                "text/plain", null, "/api/events?writeKey=" + key)).Status);
        var batch =
            $$"""{"batch":[{{old.Replace("EVENT", "history").Replace("\"messageId\":\"history\"", "\"type\":\"track\"")}}]}""";
        var inBatch =
            new HttpRequestMessage(HttpMethod.Post,
                "/v1/batch")
            { Content = new StringContent(batch, Encoding.UTF8, "application/json") };
        inBatch.Headers.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(Shop + ":")));
        Assert.Equal(200, (await app.Send(inBatch)).Status);
        var years =
            await database.Query("select action, occurred from events",
                row => (Action: row.GetString(0), Year: row.GetString(1)[..4]));
        Assert.Equal(6, years.Count);
        Assert.All(years, one => Assert.Equal(one.Action == "history", one.Year == "2019"));
        // A bound key may also write an import's batches of its product.
        Assert.Equal(1,
            (await app.Post(
                Encoding.UTF8.GetBytes(
                    """{"action":"view","product":"shop","fingerprint":"page","timestamp":"2018-01-01T00:00:00Z"}"""),
            "application/x-ndjson", null, $"{Requests.BatchPath}?history=true&writeKey={Shop}")).Batch.Recorded);
    }

    [Fact]
    public async Task Only_a_key_that_is_bound_to_nothing_or_has_history_imports_it()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database, Keys);
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file,
            """{"action":"view","product":"shop","fingerprint":"XYZ","timestamp":"2019-01-01T00:00:00Z"}""");
        string[] import = ["import", file, "-port", $"{app.Port}"];
        foreach (var (key, message) in ((string?, string)[])
                 [(null, "refuses the events: 401 missing_key: "), (Free + "x", "401 unknown_key: "),
                     (Shop, "403 history_not_allowed: ")])
        {
            var (exitCode, output, error) =
                await AppProcess.Run([.. import, .. key is null ? [] : (string[])["-key", key]]);
            Assert.Equal((1, "0 events recorded, 0 were there before, 0 refused\n"), (exitCode, output));
            Assert.Contains(message, Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries)));
            Assert.DoesNotContain("0123456789", error);
        }
        var imported = await AppProcess.Run(import, new() { ["APP_KEY"] = Free });
        Assert.Equal((0, "1 events recorded, 0 were there before, 0 refused\n", ""), imported);
        File.Delete(file);
    }

    private static string WithKey(string key) => $$"""{"writeKey":"{{key}}",""" + Track[1..];

    private static Task<Answer> Post(AppProcess app, string body, string? key, string? origin)
    {
        var request =
            new HttpRequestMessage(HttpMethod.Post,
                "/v1/track")
            { Content = new StringContent(body, Encoding.UTF8, "text/plain") };
        if (key is not null)
            request.Headers.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(key + ":")));
        if (origin is not null) request.Headers.Add("Origin", origin);
        return app.Send(request);
    }
}
