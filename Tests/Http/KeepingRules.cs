using System.Text;
using Tally.Contracts;
using Tally.Tests.Harness;
using Tally.Tests.Pure.Rules;

namespace Tally.Tests.Http;

/// <summary>How rules are put in force, read and ended.</summary>
public sealed class KeepingRules(PostgresServer server)
{
    private const string First = """{"when":{"event":{"product":"p","action":"a"},"count":"first"},"how":"once"}""";

    private static string Every(int number) =>
        $$$"""{"when":{"event":{"product":"p","action":"a"},"count":{"every":{{{number}}}}},"how":"each"}""";

    [Theory, EachStorage]
    public async Task A_change_is_a_new_version_and_an_equal_rule_is_none(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new());
        (await silo.Get("/api/rules/buyers")).AssertRefused(404, "unknown_rule", "name");
        var made = await silo.PutRule("buyers", First);
        Assert.Equal((201, 1, First), Told(made));
        Assert.Equal((200, 1, First), Told(await silo.PutRule("buyers", " " + First.Replace(":", " : "))));
        Assert.Equal((200, 2, Every(3)), Told(await silo.PutRule("buyers", Every(3))));
        Assert.Equal((200, 3, First), Told(await silo.PutRule("buyers", First)));
        Assert.Equal((201, 1, Every(2)), Told(await silo.PutRule("all", Every(2))));
        Assert.Equal((200, 3, First), Told(await silo.Get("/api/rules/buyers")));
        Assert.Equal(["all 1", "buyers 3"], (await silo.Get("/api/rules")).Body.GetProperty("rules").EnumerateArray()
            .Select(one => $"{one.GetProperty("name").GetString()} {one.GetProperty("version").GetInt32()}"));

        Assert.Equal((200, 3, First), Told(await silo.Send(new(HttpMethod.Delete, "/api/rules/buyers"))));
        (await silo.Send(new(HttpMethod.Delete, "/api/rules/buyers"))).AssertRefused(404, "unknown_rule", "name");
        (await silo.Get("/api/rules/buyers")).AssertRefused(404, "unknown_rule", "name");
        Assert.Equal((201, 4, First), Told(await silo.PutRule("buyers", First)));
        Assert.True(made.Body.GetProperty("begun").GetDateTime() <= DateTime.UtcNow.AddMinutes(1));
    }

    [Theory, EachStorage]
    public async Task Changes_at_once_take_turns(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new Limits { RulesMax = 2, RuleVersionsMax = 12 });
        var answers = await Task.WhenAll(Enumerable.Range(2, 8).Select(i => silo.PutRule("one", Every(i))));
        Assert.Equal([200, 200, 200, 200, 200, 200, 200, 201], answers.Select(answer => answer.Status).Order());
        Assert.Equal(Enumerable.Range(1, 8),
            answers.Select(answer => answer.Body.GetProperty("version").GetInt32()).Order());
        var same = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => silo.PutRule("two", First)));
        Assert.All(same, answer => Assert.Equal(1, answer.Body.GetProperty("version").GetInt32()));
        Assert.Equal(1, same.Count(answer => answer.Status == 201));

        var more = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => silo.PutRule($"more-{i}", First)));
        Assert.All(more, answer => answer.AssertRefused(422, "too_many_rules"));
        for (var i = 20; i < 23; i++) Assert.Equal(200, (await silo.PutRule("one", Every(i))).Status);
        (await silo.PutRule("one", Every(30))).AssertRefused(422, "too_many_rule_versions");
        Assert.Equal(200, (await silo.PutRule("two", First)).Status);
        Assert.Equal(200, (await silo.Send(new(HttpMethod.Delete, "/api/rules/one"))).Status);
    }

    [Fact]
    public async Task A_bad_rule_is_refused_with_its_place_and_changes_nothing()
    {
        await using var at = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var silo = await RunningSilo.Start(at, new());
        await silo.PutRule("kept", First);
        foreach (var (rule, place) in ReadingRules.Bad)
            (await silo.PutRule("kept", rule)).AssertRefused(422, "invalid_rule", place);
        foreach (var broken in (string[])["", "{", First + "}", First[..^1] + ",\"how\":\"each\"}", "\ud800", "\0",
            new string('[', 50) + new string(']', 50), "{\"\\ud800\":1}",
            First.Replace("when", "\\ud83d")])
            (await silo.PutRule("kept", broken)).AssertRefused(400, "malformed_body");
        foreach (var notUtf8 in (byte[][])[[0x22, 0xff, 0x22], [.. "{\""u8, 0xff, .. "\":1}"u8]])
            (await silo.Send(Put("kept", notUtf8))).AssertRefused(400, "malformed_body");
        (await silo.PutRule("kept", First + new string(' ', 32 * 1024))).AssertRefused(413, "body_too_large");
        (await silo.Send(Put("kept", Encoding.UTF8.GetBytes(First), "application/x-www-form-urlencoded")))
            .AssertRefused(415, "unsupported_media_type");
        foreach (var name in (string[])["schema", "%20", "a%2Fb", "é", "a.b", "%3Cb%3E", "'--",
            new string('x', 65)])
            (await silo.PutRule(name, First)).AssertRefused(422, "unknown_value", "name");
        Assert.Equal((200, 1, First), Told(await silo.Get("/api/rules/kept")));
        Assert.Single((await silo.Get("/api/rules")).Body.GetProperty("rules").EnumerateArray());
        Assert.Equal(200, (await silo.PutRule("a-Z_0" + new string('x', 59), First)).Status / 201 * 200);
    }

    [Fact]
    public async Task The_schema_is_published()
    {
        await using var at = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var silo = await RunningSilo.Start(at, new());
        var answer = await silo.Get("/api/rules/schema");
        Assert.Equal((200, "application/schema+json"), (answer.Status, answer.ContentType));
        Assert.Equal("https://json-schema.org/draft/2020-12/schema", answer.Body.GetProperty("$schema").GetString());
    }

    [Fact]
    public async Task Where_there_are_keys_changing_needs_one_that_is_for_it()
    {
        const string ruler = "ruler-0123456789abcdef", reader = "reader-0123456789abcdef", writer =
            "writer-0123456789abcdef", eraser = "eraser-0123456789abcdef";
        foreach (var (name, keys) in ((string, string)[])[("APP_WRITE_KEYS", writer), ("APP_READ_KEYS", reader),
            ("APP_ERASE_KEYS", eraser)])
        {
            await using var without = await TestDatabase.Create(StorageKind.Sqlite, server);
            await using var nobody = await AppProcess.Start(without, new() { [name] = keys });
            (await nobody.PutRule("r", First, keys)).AssertRefused(403, "key_not_for_rules");
        }
        await using var at = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(at, new()
        {
            ["APP_WRITE_KEYS"] = writer, ["APP_READ_KEYS"] = reader, ["APP_ERASE_KEYS"] = eraser,
            ["APP_RULE_KEYS"] = ruler,
        });
        (await app.PutRule("r", First)).AssertRefused(401, "missing_key");
        (await app.PutRule("r", First, ruler + "x")).AssertRefused(401, "unknown_key");
        foreach (var key in (string[])[writer, reader, eraser])
        {
            (await app.PutRule("r", First, key)).AssertRefused(403, "key_not_for_rules");
            (await app.Send(Keyed(new(HttpMethod.Delete, "/api/rules/r"), key))).AssertRefused(403, "key_not_for_rules");
        }
        Assert.Equal(201, (await app.PutRule("r", First, ruler)).Status);
        (await app.Send(Keyed(new(HttpMethod.Get, "/api/rules/r"), ruler))).AssertRefused(403, "key_not_for_reading");
        Assert.Equal(200, (await app.Send(Keyed(new(HttpMethod.Get, "/api/rules/r"), reader))).Status);
        Assert.Equal(200, (await app.Send(Keyed(new(HttpMethod.Delete, "/api/rules/r"), ruler))).Status);
    }

    private static (int Status, int Version, string Rule) Told(Answer answer) => (answer.Status,
        answer.Body.GetProperty("version").GetInt32(), answer.Body.GetProperty("rule").GetRawText());

    private static HttpRequestMessage Put(string name, byte[] body, string type = "application/json") =>
        RuleRequests.Put(name, body, type);

    private static HttpRequestMessage Keyed(HttpRequestMessage request, string key)
    {
        request.Headers.Add("Authorization", "Bearer " + key);
        return request;
    }
}
