using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>Unknown query parameters: no question is answered as if they had been understood.</summary>
[Collection<SharedApp>]
public sealed class UnknownParameters(PostgresServer server, SharedApps apps)
{
    private readonly string visitor = "visitor-" + Guid.NewGuid();

    private string Event => $$"""{"action":"view","product":"k8s","fingerprint":"{{visitor}}"}""";

    [Fact]
    public async Task Every_endpoint_takes_what_is_described_and_refuses_the_rest()
    {
        var (app, _) = await apps.On(StorageKind.Sqlite);
        var refusing = new List<string>();
        foreach (var path in (await app.Get("/openapi/v1.json")).Body.GetProperty("paths").EnumerateObject())
            foreach (var operation in path.Value.EnumerateObject())
            {
                var method = HttpMethod.Parse(operation.Name);
                Task<Answer> Ask(string query) =>
                    app.Send(new(method, path.Name.Replace("{fingerprint}", "nobody") + query));
                if (path.Name.StartsWith("/health/", StringComparison.Ordinal)
                    || operation.Value.GetProperty("operationId").GetString() is "GetPixel" or "PostEvent") continue;
                (await Ask("?nonsense=1")).AssertRefused(422, "unknown_parameter", "nonsense");
                refusing.Add(operation.Value.GetProperty("operationId").GetString()!);
                var names = operation.Value.TryGetProperty("parameters", out var parameters)
                    ? parameters.EnumerateArray().Where(one => one.GetProperty("in").GetString() == "query")
                        .Select(one => one.GetProperty("name").GetString()!).ToList() : [];
                // Each has an empty value, so that no stream begins.
                foreach (var name in names)
                    foreach (var query in (string[])[$"?{name}=", $"?{name.ToUpperInvariant()}=", $"?{name}=&{name}="])
                    {
                        var reason = (await Ask(query)).Reason;
                        Assert.True(query.Contains('&') ? reason == "duplicate_field"
                            : query.Contains($"?{name}=") == (reason != "unknown_parameter"),
                            $"{method} {path.Name}{query}: {reason}");
                    }
            }
        Assert.Equal(43, refusing.Count);
    }

    [Theory, EachStorage]
    public async Task The_nearest_name_that_is_known_is_told(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        foreach (var (question, field, nearest) in ((string, string, string)[])
                 [
                     ("totals?form=2026-01-01", "form", "from"), ("totals?group_by=product", "group_by", "groupBy"),
                     ("totals?Bucket=day", "Bucket", "bucket"),
                     ("totals?groupby=product&bucket=all", "groupby", "groupBy"),
                     ("totals?from=2026-01-01&actions=view", "actions", "action"),
                     ("uniques?products=k8s", "products", "product"), ("top?of=products&limits=5", "limits", "limit"),
                     ("fingerprints?sorted=total", "sorted", "sort"),
                     ("fingerprints/nobody/events?befter=5", "befter", "after"),
                     ("export?fomat=csv", "fomat", "format"), ("live?Product=k8s", "Product", "product"),
                     ("fingerprints/nobody/live?since=5", "since", "after"),
                 ])
        {
            var answer = await app.Get("/api/" + question);
            answer.AssertRefused(422, "unknown_parameter", field);
            Assert.Contains($"The nearest is {nearest};", answer.Text("detail"));
        }
        var days = await app.Get("/api/totals?timezone=Europe/Berlin");
        days.AssertRefused(422, "unknown_parameter", "timezone");
        Assert.Contains("from, to, bucket, groupBy, product, action", days.Text("detail"));
    }

    [Theory, EachStorage]
    public async Task A_misspelt_wish_changes_nothing(StorageKind storage)
    {
        var shared = await apps.On(storage);
        foreach (var query in (string[])["?histroy=true", "?History=true", "?history=true&key=x"])
            (await shared.App.Post("[" + Event + "]", query)).AssertRefused(422, "unknown_parameter",
                query.Split('&')[^1].TrimStart('?').Split('=')[0]);
        foreach (var value in (string[])["1", "TRUE", "yes", "true%00"])
            (await shared.App.Post("[" + Event + "]", "?history=" + value)).AssertRefused(422, "unknown_value",
                "history");
        Assert.Equal(0, await shared.Rows(visitor));
        foreach (var query in (string[])["", "?history=false", "?history=true", "?writeKey=anything-where-none-is-set"])
            Assert.Equal(1, (await shared.App.Post("[" + Event + "]", query)).Batch.Recorded);

        (await shared.App.Send(new(HttpMethod.Delete, Requests.Path(visitor) + "?suppres=true"))).AssertRefused(422,
            "unknown_parameter", "suppres");
        Assert.Equal(4, await shared.Rows(visitor));
    }

    [Fact]
    public async Task What_is_no_plain_name_is_not_given_back()
    {
        var (app, _) = await apps.On(StorageKind.Sqlite);
        foreach (var name in (string[])
                 [
                     "%3Cscript%3Ealert(1)%3C%2Fscript%3E", "a%00b", "a%0D%0ASet-Cookie:x", "%E2%80%AE", "", "%20from",
                     "from%20", "filter%5B0%5D", new string('x', 4_000),
                     "4f1d6c02b1f84f3a9f0e5a7c8d2b6e13",
                 ])
        {
            var answer = await app.Get($"/api/totals?{name}=1");
            answer.AssertRefused(422, "unknown_parameter");
            Assert.Equal(
                "There is no such parameter here. The nearest is X; all are from, to, bucket, groupBy, product, action, filter, compare.",
                System.Text.RegularExpressions.Regex.Replace(answer.Text("detail")!, "nearest is \\w+;",
                    "nearest is X;"));
        }
        using var wire = (await HttpWire.Connect(app.Port))!; // HttpClient would correct some of these
        foreach (var broken in (string[])["%ff=1", "from=%C3", "%zz=1", "product=%ed%a0%80", "from=%", "from=%2",
            "to=2026-01-01&%=1"])
        {
            var reply = (await wire.Ask(HttpWire.GetOf("/api/totals?" + broken)))!;
            Assert.Equal((broken, 400), (broken, reply.Status));
            Assert.Contains("\"reason\":\"malformed_query\"", reply.Body);
        }
        Assert.Equal(200, (await app.Get("/api/totals?&&bucket=all&")).Status);
        Assert.Equal(200, (await app.Get("/api/totals?")).Status);
    }

    [Fact]
    public async Task What_takes_events_or_has_no_parameters_skips_what_others_add()
    {
        var (app, _) = await apps.On(StorageKind.Sqlite);
        foreach (var path in (string[])
                 ["/health/live?_=1", "/health/ready?cache=no", "/metrics?x=1&x=2", "/tally.js?v=3",
                     "/openapi/v1.json?x=%ff", "/api/pixel.gif?action=a&product=b&fingerprint=c&_=17"])
            Assert.Equal((path, 200), (path, (await app.Get(path)).Status));
        var other = Event.Replace("unknown-parameters", "added-parameters");
        Assert.Equal(200,
            (await app.Post(System.Text.Encoding.UTF8.GetBytes(other), "application/json",
                path: "/api/events?v=3")).Status);
    }

    [Fact]
    public async Task Who_may_not_ask_is_told_that_first()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database, new() { ["APP_READ_KEYS"] = "a-read-key-0123456789" });
        (await app.Get("/api/totals?timezone=UTC")).AssertRefused(401, "missing_key");
        var asked =
            new HttpRequestMessage(HttpMethod.Get,
                "/api/totals?timezone=UTC")
            { Headers = { Authorization = new("Bearer", "a-read-key-0123456789") } };
        (await app.Send(asked)).AssertRefused(422, "unknown_parameter", "timezone");
    }
}

internal static class PostsWithAQuery
{
    public static Task<Answer> Post(this AppProcess app, string batch, string query) =>
        app.Post(System.Text.Encoding.UTF8.GetBytes(batch), "application/json", path: Requests.BatchPath + query);
}
