using System.Text;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>Erasing a person, who may also be refused from then on.</summary>
[Collection<SharedApp>]
public sealed class Erasures(SharedApps apps, PostgresServer server)
{
    private readonly string visitor = "erased-" + Guid.NewGuid();

    [Theory, EachStorage]
    public async Task An_erasure_answers_what_was_removed_and_may_be_repeated(StorageKind storage)
    {
        var (app, database) = await apps.On(storage);
        for (var i = 0; i < 3; i++) await Record(app, $"id={i}");
        Assert.Equal(3, await new Shared(app, database).Rows(visitor));

        var answer = await Erase(app);
        Assert.Equal((200, visitor, 3, 0, 1, false), Receipt(answer));
        Assert.InRange(answer.Body.GetProperty("erased").GetDateTime(), DateTime.UtcNow.AddMinutes(-5),
            DateTime.UtcNow.AddMinutes(5));
        Assert.Equal(0, await new Shared(app, database).Rows(visitor));
        (await app.View(visitor)).AssertRefused(404, "unknown_fingerprint", "fingerprint");
        (await app.Get(Requests.Path(visitor) + "/events")).AssertRefused(404, "unknown_fingerprint", "fingerprint");
        Assert.Equal((200, visitor, 0, 0, 0, false), Receipt(await Erase(app, "?suppress=false")));

        var again = await Record(app, "id=1");
        Assert.Equal((1, false), (again.Sequence, again.Duplicate));
        Assert.Equal((200, visitor, 1, 0, 1, false), Receipt(await Erase(app)));
    }

    [Theory, EachStorage]
    public async Task A_suppressed_ones_events_are_refused_whichever_way_they_come(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        await Record(app, "id=1");
        Assert.Equal((200, visitor, 1, 0, 1, true), Receipt(await Erase(app, "?suppress=true")));

        (await app.PostForm($"action=view&product=k8s&fingerprint={visitor}")).AssertRefused(403, "suppressed",
            "fingerprint");
        var json = $$"""{"action":"view","product":"k8s","fingerprint":"{{visitor}}","id":"1"}""";
        (await app.PostJson(json)).AssertRefused(403, "suppressed", "fingerprint");
        (await app.Post(Encoding.UTF8.GetBytes(json), "text/plain")).AssertRefused(403, "suppressed", "fingerprint");
        (await app.Get($"/api/pixel.gif?action=view&product=k8s&fingerprint={visitor}")).AssertRefused(403,
            "suppressed", "fingerprint");
        foreach (var query in (string[])["", "?history=true"])
        {
            var batch =
                await app.Post(
                    Encoding.UTF8.GetBytes($"[{json},{json.Replace(visitor, visitor + "-other" + query)},{json}]"),
                    "application/json",
                path: Requests.BatchPath + query);
            Assert.Equal((200, 3, 1), (batch.Status, batch.Batch.Handled, batch.Batch.Recorded));
            Assert.Equal([(0, 403, "suppressed"), (2, 403, "suppressed")],
                batch.Batch.Refused.Select(one => (one.Index, one.Status, one.Reason)));
        }
        var segment =
            $$"""{"anonymousId":"{{visitor}}","event":"view","messageId":"m-1","type":"track","writeKey":"k8s"}""";
        (await app.Post(Encoding.UTF8.GetBytes(segment), "application/json", path: "/v1/track")).AssertRefused(403,
            "suppressed", "fingerprint");
        var messages =
            await app.Post(Encoding.UTF8.GetBytes($$"""{"batch":[{{segment}}],"writeKey":"k8s"}"""), "application/json",
                path: "/v1/batch");
        messages.AssertRefused(400, "messages_refused");
        Assert.Equal("suppressed", Assert.Single(messages.Batch.Refused).Reason);

        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, json + "\n");
        var import = await AppProcess.Run(["import", file, "-time=now", "-to", $"{app.Http.BaseAddress}"]);
        File.Delete(file);
        Assert.Equal(1, import.ExitCode);
        Assert.Contains(":1: suppressed: ", import.Error);

        (await app.View(visitor)).AssertRefused(404, "unknown_fingerprint", "fingerprint");
        Assert.Equal((200, visitor, 0, 0, 0, true), Receipt(await Erase(app)));
    }

    [Theory, EachStorage]
    public async Task An_odd_request_erases_nothing(StorageKind storage)
    {
        var (app, database) = await apps.On(storage);
        await Record(app, "id=1");
        foreach (var odd in (string[])["", "1", "TRUE", "yes", "true&suppress=true", "true&suppress=false",
            "false&suppress=false", "%00", new('x', 5_000)])
            (await Erase(app, "?suppress=" + odd)).AssertRefused(422,
                odd.Contains('&') ? "duplicate_field" : "unknown_value", "suppress");
        (await app.Send(new(HttpMethod.Delete, "/api/fingerprints/%FF"))).AssertRefused(400, "malformed_path",
            "fingerprint");
        (await app.Send(new(HttpMethod.Delete, "/api/fingerprints/%01"))).AssertRefused(422, "invalid_characters",
            "fingerprint");
        (await app.Send(new(HttpMethod.Delete, "/api/fingerprints/" + new string('x', 257)))).AssertRefused(422,
            "too_long", "fingerprint");
        (await app.Send(new(HttpMethod.Delete, "/api/fingerprints/"))).AssertRefused(404, "not_found");
        (await app.Send(new(HttpMethod.Delete, Requests.Path(visitor) + "/events"))).AssertRefused(405,
            "method_not_allowed");
        // An erasure removes exactly its fingerprint, not what a pattern or another spelling would match.
        foreach (var other in (string[])["%", "_", visitor.ToUpperInvariant(), visitor + " ", "' or ''='"])
            Assert.Equal(200, (await app.Send(new(HttpMethod.Delete, Requests.Path(other)))).Status);
        Assert.Equal(1, await new Shared(app, database).Rows(visitor));
    }

    [Fact]
    public async Task Where_there_are_keys_erasing_needs_one_that_is_for_it()
    {
        const string eraser = "eraser-0123456789abcdef", all = "all-0123456789abcdef", writer =
            "writer-0123456789abcdef", reader = "reader-0123456789abcdef";
        foreach (var (name, keys) in ((string, string)[])[("APP_WRITE_KEYS", writer), ("APP_READ_KEYS", reader),
            ("APP_ERASE_KEYS", eraser)])
        {
            await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
            await using var app = await AppProcess.Start(database, new() { [name] = keys });
            (await Erase(app)).AssertRefused(401, "missing_key");
            (await Erase(app, "?writeKey=" + keys)).AssertRefused(name == "APP_WRITE_KEYS" ? 403 : 401,
                name == "APP_WRITE_KEYS" ? "key_not_for_erasing" : "unknown_key");
            if (name == "APP_ERASE_KEYS") Assert.Equal(200, (await Erase(app, key: keys)).Status);
            else (await Erase(app, key: keys)).AssertRefused(403, "key_not_for_erasing");
        }
        await using var guardedDatabase = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var guarded = await AppProcess.Start(guardedDatabase, new()
        {
            ["APP_WRITE_KEYS"] = $"{writer} {all}", ["APP_READ_KEYS"] = $"{reader} {all}",
            ["APP_ERASE_KEYS"] = $"{eraser} {all}",
        });
        foreach (var key in (string[])[writer, reader])
            (await Erase(guarded, key: key)).AssertRefused(403, "key_not_for_erasing");
        (await Erase(guarded, key: eraser + "x")).AssertRefused(401, "unknown_key");
        foreach (var key in (string[])[eraser, all]) Assert.Equal(200, (await Erase(guarded, key: key)).Status);
        (await guarded.Send(Keyed(HttpMethod.Get, "", eraser))).AssertRefused(403, "key_not_for_reading");
        (await guarded.Send(Keyed(HttpMethod.Get, "", all))).AssertRefused(404, "unknown_fingerprint", "fingerprint");
    }

    private async Task<Answer> Record(AppProcess app, string more)
    {
        var answer = await app.PostForm($"action=view&product=k8s&fingerprint={visitor}&{more}");
        Assert.Equal(200, answer.Status);
        return answer;
    }

    private Task<Answer> Erase(AppProcess app, string query = "", string? key = null) =>
        app.Send(Keyed(HttpMethod.Delete, query, key));

    private HttpRequestMessage Keyed(HttpMethod method, string query, string? key)
    {
        var request = new HttpRequestMessage(method, Requests.Path(visitor) + query);
        if (key is not null) request.Headers.Add("Authorization", "Bearer " + key);
        return request;
    }

    private static (int, string?, long, long, long, bool) Receipt(Answer answer) =>
        (answer.Status, answer.Text("fingerprint"),
        answer.Body.GetProperty("events").GetInt64(), answer.Body.GetProperty("snapshots").GetInt64(),
        answer.Body.GetProperty("visits").GetInt64(), answer.Body.GetProperty("suppressed").GetBoolean());
}
