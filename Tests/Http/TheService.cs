using System.Text.Json;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>What the service says about itself, and what it answers to unknown questions.</summary>
[Collection<SharedApp>]
public sealed class TheService(SharedApps apps)
{
    private static readonly (string Path, string Method)[] Endpoints =
    [
        ("/api/events", "post"), ("/api/events/batch", "post"), ("/api/pixel.gif", "get"), ("/api/export", "get"),
        ("/api/breakdown", "get"), ("/api/receipts/{id}", "get"), ("/api/funnel", "get"), ("/api/sessions", "get"),
        ("/api/fingerprints/{fingerprint}/sessions", "get"), ("/api/fingerprints/{fingerprint}/timeline", "get"),
        ("/api/fingerprints/{fingerprint}/activity", "get"),
        ("/api/fingerprints", "get"), ("/api/uniques", "get"), ("/api/present", "get"), ("/api/retention", "get"),
        ("/api/shares", "get"), ("/api/shares", "put"), ("/api/shares", "delete"),
        ("/api/cluster", "get"), ("/api/verifications", "get"), ("/api/verifications", "post"),
        ("/api/funnels", "get"), ("/api/funnels/{name}", "get"), ("/api/funnels/{name}", "put"),
        ("/api/funnels/{name}", "delete"),
        ("/api/rules", "get"), ("/api/rules/{name}", "get"), ("/api/rules/{name}", "put"),
        ("/api/rules/{name}", "delete"), ("/api/firings", "get"),
        ("/api/rules/{name}/secret", "post"), ("/api/rules/{name}/test", "post"), ("/api/firings/replay", "post"),
        ("/api/annotations", "get"), ("/api/annotations", "put"), ("/api/annotations", "delete"),
        ("/api/fingerprints/{fingerprint}", "get"), ("/api/fingerprints/{fingerprint}", "delete"),
        ("/api/fingerprints/{fingerprint}/events", "get"), ("/api/fingerprints/{fingerprint}/values", "get"),
        ("/api/totals", "get"), ("/api/top", "get"),
        ("/api/fingerprints/{fingerprint}/live", "get"), ("/api/live", "get"), ("/api/live/events", "get"),
        ("/health/live", "get"), ("/health/ready", "get"),
    ];

    [Theory, EachStorage]
    public async Task It_is_live_and_ready(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        foreach (var status in (string[])["live", "ready"])
        {
            var answer = await app.Get("/health/" + status);
            Assert.Equal((200, status), (answer.Status, answer.Text("status")));
        }
    }

    [Fact]
    public async Task Its_description_lists_every_endpoint()
    {
        var paths = (await Describe()).GetProperty("paths");
        Assert.Equal(Endpoints.Order(), paths.EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject().Select(operation => (path.Name, operation.Name))).Order());
        foreach (var (path, method) in Endpoints)
        {
            var operation = paths.GetProperty(path).GetProperty(method);
            Assert.NotEqual("", operation.GetProperty("summary").GetString());
            if (path.Contains("{fingerprint}"))
                Assert.Contains(operation.GetProperty("parameters").EnumerateArray(), parameter =>
                    (parameter.GetProperty("name").GetString(),
                        parameter.GetProperty("in").GetString()) == ("fingerprint", "path"));
        }
    }

    // What a program needs that generates a client from it.
    [Fact]
    public async Task Its_description_has_the_fields_of_every_body_and_every_refusal()
    {
        var description = await Describe();
        var bodies = 0;
        foreach (var (path, method) in Endpoints)
        {
            var operation = description.GetProperty("paths").GetProperty(path).GetProperty(method);
            var responses = operation.GetProperty("responses");
            Assert.True(responses.TryGetProperty("200", out _), $"{method} {path}");
            if (path.StartsWith("/api/", StringComparison.Ordinal))
                foreach (var status in (string[])["400", "401", "403", "422", "429", "503"])
                    Assert.True(
                        responses.GetProperty(status).GetProperty("content").TryGetProperty("application/problem+json",
                            out _), $"{method} {path}: {status}");
            var contents = responses.EnumerateObject().Select(response => response.Value).ToList();
            if (operation.TryGetProperty("requestBody", out var request)) contents.Add(request);
            foreach (var content in contents)
            {
                if (!content.TryGetProperty("content", out var kinds)) continue;
                foreach (var kind in kinds.EnumerateObject()
                    .Where(kind =>
                        !(path is "/api/pixel.gif" or "/api/export"
                            && !kind.Name.EndsWith("+json", StringComparison.Ordinal))))
                {
                    var schema = Resolve(description, kind.Value.GetProperty("schema"));
                    if (schema.TryGetProperty("items", out var items)) schema = Resolve(description, items);
                    Assert.NotEmpty(schema.GetProperty("properties").EnumerateObject());
                    bodies++;
                }
            }
        }
        Assert.InRange(bodies, 100, 400);
    }

    [Fact]
    public async Task The_example_of_an_event_is_one_that_it_takes()
    {
        var (app, _) = await apps.On(StorageKind.Sqlite);
        var description = await Describe();
        var body = description.GetProperty("paths").GetProperty("/api/events").GetProperty("post")
            .GetProperty("requestBody").GetProperty("content");
        Assert.Equal(["application/json", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain"],
            body.EnumerateObject().Select(kind => kind.Name).Order());
        var example =
            Resolve(description, body.GetProperty("application/json").GetProperty("schema")).GetProperty("examples")[0];
        Assert.Equal(200, (await app.PostJson(example.GetRawText())).Status);
    }

    [Fact]
    public async Task An_unknown_path_or_method_is_told_so()
    {
        var (app, _) = await apps.On(StorageKind.Sqlite);
        foreach (var path in (string[])["/", "/api", "/api/eventsofothers", "/api/fingerprints/",
            "/api/fingerprints/?sort=total", "/api/fingerprints//events",
                     "/api/fingerprints/x/other", "/api/fingerprints/x/events/1", "/api/receipts/", "/api/receipts/x/y", "/openapi/v2.json", "/health"])
            (await app.Get(path)).AssertRefused(404, "not_found");
        foreach (var (method, path) in ((string, string)[])[("GET", "/api/events"), ("PUT", "/api/fingerprints/x"),
            ("POST", "/api/fingerprints"),
                     ("POST", "/api/fingerprints/x/events"), ("PUT", "/api/events"), ("POST", "/health/ready"),
                     ("POST", "/metrics"), ("PUT", "/api/verifications"), ("POST", "/api/cluster")])
            (await app.Send(new(new(method), path))).AssertRefused(405, "method_not_allowed");
    }

    private async Task<JsonElement> Describe()
    {
        var (app, _) = await apps.On(StorageKind.Sqlite);
        var answer = await app.Get("/openapi/v1.json");
        Assert.Equal((200, "application/json"), (answer.Status, answer.ContentType));
        return answer.Body;
    }

    private static JsonElement Resolve(JsonElement description, JsonElement schema)
    {
        if (!schema.TryGetProperty("$ref", out var reference)) return schema;
        foreach (var step in reference.GetString()!.TrimStart('#', '/').Split('/'))
            description = description.GetProperty(step);
        return description;
    }
}
