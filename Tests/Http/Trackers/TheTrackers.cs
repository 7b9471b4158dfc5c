using Tally.Silo.Http.Trackers;
using Tally.Tests.Harness;

namespace Tally.Tests.Http.Trackers;

/// <summary>
/// What holds for every tool: <c>-trackers</c> lets it in, and a write key is needed if there are any.
/// </summary>
public sealed class TheTrackers(PostgresServer server)
{
    private const string Shop = "shop-0123456789abcdef";
    private const string Free = "free-0123456789abcdef";
    private const string Other = "other-0123456789abcdef";

    // A request that is recorded for the product k8s if no key is set. ID becomes an id of its own.
    private sealed record Sample(string Tool, string Path, string Body, string ContentType = "text/plain",
        string WithoutKey = "missing_key", int? BatchStatus = null)
    {
        // In a batch an event's refusal is one of several, under a status for all.
        public void AssertRefused((int Status, string Body) answer, int status, string reason) =>
            Assert.True(answer.Status == (BatchStatus ?? status) && answer.Body.Contains(reason),
                $"{Tool}: {answer.Status} {answer.Body}");

        /// <param name="key">In the address.</param>
        /// <param name="bearer">In the request's head.</param>
        public Task<(int Status, string Body)> SendTo(AppProcess app, string? key = null, string? bearer = null)
        {
            var address = key is null ? Path : $"{Path}{(Path.Contains('?') ? '&' : '?')}writeKey={key}";
            return app.Track(address, Body.Replace("ID", Guid.NewGuid().ToString()), ContentType,
                headers: bearer is null ? [] : [("Authorization", $"Bearer {bearer}")]);
        }
    }

    private static readonly Sample[] Samples =
    [
        new("plausible", "/api/event", """{"n":"pageview","u":"https://k8s/","d":"k8s"}"""),
        new("umami", "/api/send", """{"type":"event","payload":{"website":"k8s","url":"/"}}"""),
        new("goatcounter", "/count?p=%2F&product=k8s", ""),
        new("matomo", "/matomo.php?idsite=k8s&rec=1", ""),
        new("posthog", "/i/v0/e/", """{"api_key":"k8s","uuid":"ID","event":"$pageview"}""",
            WithoutKey: "unknown_key"),
        new("ga4", "/mp/collect?measurement_id=k8s", """{"events":[{"name":"page_view"}]}""", BatchStatus: 400),
        new("snowplow", "/com.snowplowanalytics.snowplow/tp2",
            """{"data":[{"e":"pv","aid":"k8s","eid":"ID","url":"https://k8s/"}]}""", BatchStatus: 400),
        new("cloudevents", "/api/cloudevents", """{"specversion":"1.0","id":"ID","source":"k8s","type":"view"}""",
            "application/cloudevents+json"),
        new("otlp", "/v1/logs", """
            {"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"k8s"}}]},
            "scopeLogs":[{"logRecords":[{"eventName":"view","traceId":"ID"}]}]}]}
            """, "application/json", BatchStatus: 200),
    ];

    [Fact]
    public async Task A_tool_that_is_off_has_no_paths()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using (var app = await AppProcess.Start(database, flags: ["-fingerprints=server", "-trackers=none"]))
            foreach (var sample in Samples)
                (await sample.SendTo(app)).AssertRefused(404, "not_found");
        Assert.Equal(TrackerEndpoints.Names, Samples.Select(sample => sample.Tool));
        var on = Samples[0];
        await using (var app = await AppProcess.Start(database,
            flags: ["-fingerprints=server", $"-trackers={on.Tool}"]))
            foreach (var sample in Samples)
                Assert.Equal(sample.Tool != on.Tool, (await sample.SendTo(app)).Status == 404);
        Assert.Equal([1L], await database.Query("select count(*) from events", row => row.GetInt64(0)));
    }

    [Fact]
    public async Task With_write_keys_each_tool_shows_one_and_a_key_of_one_product_names_it()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database,
            new() { ["APP_WRITE_KEYS"] = $"{Shop};products=shop {Free} {Other};products=a,b" },
            flags: ["-fingerprints=server"]);
        foreach (var sample in Samples)
        {
            (await sample.SendTo(app)).AssertRefused(401, sample.WithoutKey);
            (await sample.SendTo(app, bearer: $"{Shop}x")).AssertRefused(401, "unknown_key");
            sample.AssertRefused(await sample.SendTo(app, Other), 403, "product_not_allowed");
            foreach (var (key, bearer) in ((string?, string?)[])[(null, Shop), (Free, null), (Shop, null)])
                Assert.InRange((await sample.SendTo(app, key, bearer)).Status, 200, 204);
        }
        // Matomo's protocol has a place for a key.
        Assert.Equal(200, (await app.Track("/piwik.php", $"idsite=1&rec=1&token_auth={Shop}",
            "application/x-www-form-urlencoded")).Status);
        Assert.Equal(200, (await app.Track("/matomo.php",
            $$"""{"token_auth":"{{Shop}}","requests":["?idsite=1&rec=1&cdt=2019-05-05%2000:00:00","?idsite=1&rec=1"]}""",
            "application/json")).Status);
        (await app.Track("/matomo.php", $$"""{"token_auth":"{{Shop}}x","requests":[]}""", "application/json"))
            .AssertRefused(401, "unknown_key");
        Assert.Equal(200, (await app.Track("/matomo.php",
            $$"""{"token_auth":"{{Free}}","requests":["?idsite=1&rec=1&cdt=2019-05-05%2000:00:00"]}""",
            "application/json")).Status); // it may send history
        Assert.Equal([("1", 1), ("k8s", Samples.Length), ("shop", 2 * Samples.Length + 2)], await database.Query(
            "select product, count(*) from events group by product order by product",
            row => (row.GetString(0), (int)row.GetInt64(1))));
        Assert.DoesNotContain(Shop, app.Output);
    }

    [Fact]
    public async Task Without_a_visitor_id_and_without_fingerprints_of_the_server_an_event_is_refused()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database);
        foreach (var sample in Samples)
            sample.AssertRefused(await sample.SendTo(app), 422, "missing_field");
    }
}
