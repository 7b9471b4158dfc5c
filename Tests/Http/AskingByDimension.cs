using System.Globalization;
using System.Text;
using System.Text.Json;
using Tally.Contracts;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>Events by the values of their properties, compared with a model made only of lists.</summary>
public sealed class AskingByDimension(PostgresServer server)
{
    private static readonly string[] Paths = ["/", "/pricing", "/a:b", "=1+1,\"x\"", "__proto__", "(other)", "/käse ☕"];
    private static readonly string[] Plans = ["free", "pro", "true", "12.50"];

    private sealed record Sent(
        string Id, string Fingerprint, string Product, DateTime Occurred, string? Path, string? Plan)
    {
        public DateTime Day => Occurred.Date;

        public string? this[string dimension] => dimension == "path" ? Path : Plan;

        public string ToJson() => JsonSerializer.Serialize(new
        {
            id = Id,
            fingerprint = Fingerprint,
            product = Product,
            action = "view",
            timestamp = Occurred.ToString(SentEvent.TimeFormat, CultureInfo.InvariantCulture),
            properties = new Dictionary<string, object?>
            {
                ["path"] = Path, ["plan"] = Plan == "true" ? true : Plan == "12.50" ? 12.50m : Plan, ["more"] = 1,
            },
        });
    }

    [Theory, EachStorage]
    public async Task Every_question_is_answered_as_a_model_would_while_merges_run(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new(), dimensions: ["path", "plan"]);
        var random = new Random(Seed.Next());
        var recorded = new List<Sent>();
        for (var round = 0; round < 10; round++)
        {
            var batch = Enumerable.Range(0, 20).Select(i => recorded.Count > 0 && random.Next(6) == 0
                ? recorded[random.Next(recorded.Count)] : Draw(random, $"{round}-{i}")).ToList();
            Assert.Equal(200, (await silo.PostBatch($"[{string.Join(',', batch.Select(one => one.ToJson()))}]")).Status);
            recorded = [.. recorded.Union(batch)];
            if (round % 2 == 0) await silo.Database.Storage.MergeDimensions(1);
            for (var i = 0; i < 4; i++) await Ask(silo, recorded, random);
        }
        await AppProcess.AssertVerifies(at);
    }

    private static Sent Draw(Random random, string id) => new(id, $"visitor-{random.Next(6)}",
        SentEvent.Products[random.Next(2)],
        DateTime.UtcNow.Date.AddDays(-random.Next(4)).AddTicks(-10 * random.Next(2)),
        random.Next(5) == 0 ? null : Paths[random.Next(Paths.Length)],
        random.Next(3) == 0 ? null : Plans[random.Next(Plans.Length)]);

    private static async Task Ask(RunningSilo silo, List<Sent> recorded, Random random)
    {
        var today = DateTime.UtcNow.Date;
        var from = today.AddDays(-random.Next(6));
        var to = from.AddDays(1 + random.Next(5));
        var product = random.Next(2) == 0 ? null : SentEvent.Products[random.Next(2)];
        var by = random.Next(2) == 0 ? "path" : "plan";
        var filterBy = random.Next(3) switch { 0 => null, 1 => "path", _ => "plan" };
        var value = filterBy == "path" ? Paths[random.Next(Paths.Length)] : Plans[random.Next(Plans.Length)];
        var matching = recorded.Where(one => one.Occurred >= from && one.Occurred < to
            && (product ?? one.Product) == one.Product && (filterBy is null || one[filterBy] == value)).ToList();
        var range = $"from={from:yyyy-MM-dd}&to={to:yyyy-MM-dd}"
            + (product is null ? "" : $"&product={Uri.EscapeDataString(product)}")
            + (filterBy is null ? "" : $"&filter={filterBy}:{Uri.EscapeDataString(value)}");

        var answer = await silo.Get($"/api/breakdown?by={by}&limit=3&{range}");
        Assert.Equal(200, answer.Status);
        var values = matching.Where(one => one[by] is not null).GroupBy(one => one[by]!)
            .Select(group => $"{group.Key} {group.Count()} {Daily(group)}").ToList();
        Assert.Equal(matching.Count(one => one[by] is not null), answer.Body.GetProperty("events").GetInt32());
        Assert.Equal(
            matching.Where(one => one[by] is not null).GroupBy(one => one[by]!)
                .OrderByDescending(group => group.Count()).ThenBy(group => group.Key, StringComparer.Ordinal).Take(3)
                .Select(group => $"{group.Key} {group.Count()} {Daily(group)}"),
            answer.Body.GetProperty("values").EnumerateArray().Select(one =>
                $"{one.GetProperty("value")} {one.GetProperty("events")} {one.GetProperty("dailyFingerprints")}"));

        if (filterBy is not null) await AskForTotals(silo, matching, $"bucket=day&{range}", _ => "", product is not null);
        if (filterBy is null || filterBy == by)
        {
            var having = matching.Where(one => one[by] is not null).ToList();
            await AskForTotals(silo, having, $"bucket=day&groupBy={by}&{range}", one => one[by]!, product is not null);
            await AskForTotals(silo, having, $"bucket=day&groupBy=product,{by}&{range}",
                one => $"{one.Product} {one[by]}", true);
            var top = await silo.Get($"/api/top?of={by}&limit=100&{range}");
            Assert.Equal(values.Select(one => one[..one.LastIndexOf(' ')]).Order(), top.Body.GetProperty("top").EnumerateArray()
                .Select(one => $"{one.GetProperty("value")} {one.GetProperty("events")}").Order());
        }
        if (filterBy is not null)
            Assert.Equal(
                matching.GroupBy(one => one.Product).Select(group => $"{group.Key} {group.Count()}").Order(),
                (await silo.Get($"/api/top?of=products&{range}")).Body.GetProperty("top").EnumerateArray()
                    .Select(one => $"{one.GetProperty("product")} {one.GetProperty("events")}").Order());
    }

    private static async Task AskForTotals(
        RunningSilo silo, IEnumerable<Sent> matching, string query, Func<Sent, string> group, bool hasUniques)
    {
        var answer = await silo.Get($"/api/totals?{query}");
        Assert.Equal(200, answer.Status);
        Assert.Equal(
            matching.GroupBy(one => (one.Day, Group: group(one))).Select(sum =>
                $"{sum.Key.Day:yyyy-MM-dd} {sum.Key.Group} {sum.Count()} {(hasUniques ? Daily(sum) : "")}").Order(),
            answer.Body.GetProperty("points").EnumerateArray().Where(point => point.GetProperty("events").GetInt32() > 0)
                .Select(point => $"{point.GetProperty("time").GetDateTime():yyyy-MM-dd} "
                    + $"{string.Join(' ', new[] { Text(point, "product"), Text(point, "value") }.OfType<string>())} "
                    + $"{point.GetProperty("events")} {Text(point, "uniqueFingerprints")}").Order());
    }

    private static string? Text(JsonElement of, string name) =>
        of.TryGetProperty(name, out var member) ? member.ToString() : null;

    private static int Daily(IEnumerable<Sent> events) =>
        events.Select(one => (one.Fingerprint, one.Day, one.Product)).Distinct().Count();

    [Theory, EachStorage]
    public async Task Beyond_the_limit_values_count_together_and_the_sum_is_exact(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new Limits { DimensionValuesMax = 1_000 }, dimensions: ["path"]);
        var sent = Enumerable.Range(0, 10_000).Select(i =>
            new Sent($"{i}", $"visitor-{i % 50}", "k8s", DateTime.UtcNow, $"/{Guid.NewGuid()}", null)).ToList();
        foreach (var batch in sent.Chunk(2_500))
            Assert.Equal(200, (await silo.PostBatch($"[{string.Join(',', batch.Select(one => one.ToJson()))}]")).Status);
        var answer = (await silo.Get("/api/breakdown?by=path&product=k8s&limit=1000")).Body;
        Assert.Equal(10_000, answer.GetProperty("events").GetInt32());
        Assert.Equal(1_000, answer.GetProperty("values").GetArrayLength());
        var other = answer.GetProperty("other");
        Assert.Equal((9_000, 50), (other.GetProperty("events").GetInt32(), other.GetProperty("dailyFingerprints").GetInt32()));
        Assert.False(other.TryGetProperty("value", out _));
        Assert.Contains((await silo.Get("/api/top?of=path&limit=10")).Body.GetProperty("top").EnumerateArray(),
            one => one.TryGetProperty("other", out var isOther) && isOther.GetBoolean());
        await AppProcess.AssertVerifies(at);
    }

    [Theory, EachStorage]
    public async Task Hostile_values_are_values_like_any_other(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new(), dimensions: ["path"]);
        var emoji = string.Concat(Enumerable.Repeat("☕", 100)); // 300 bytes
        string[] hostile =
        [
            "'; drop table events; --", "=cmd|' /C calc'!A0", "<script>alert(1)</script>", "\u0001\u007f\u0085\u2028",
            "__proto__", "constructor", "null", "(other)", " ", "\"", "\\", "%00", "a\0b", emoji,
        ];
        foreach (var value in hostile)
            Assert.Equal(200, (await silo.PostJson(JsonSerializer.Serialize(new
            {
                action = "view", product = "k8s", fingerprint = "f", properties = new { path = value },
            }))).Status);
        foreach (var none in (string[])["\"\"", "null", "[\"/\"]", "{\"path\":\"/\"}"])
            Assert.Equal(200, (await silo.PostJson(
                "{\"action\":\"view\",\"product\":\"k8s\",\"fingerprint\":\"f\",\"properties\":{\"path\":" + none + "}}")).Status);
        (await silo.PostJson(
            $$$"""{"action":"view","product":"k8s","fingerprint":"f","properties":{"path":"{{{new string('a', 40_000)}}}"}}"""))
            .AssertRefused(422, "too_long", "properties");

        var answer = (await silo.Get("/api/breakdown?by=path&limit=100")).Body;
        Assert.Equal(
            hostile.Select(value => value == emoji ? emoji[..85] : value.Replace('\0', '\ufffd'))
                .Order(StringComparer.Ordinal),
            answer.GetProperty("values").EnumerateArray().Select(one => one.GetProperty("value").GetString()!)
                .Order(StringComparer.Ordinal));
        Assert.Equal(1, (await silo.Get($"/api/breakdown?by=path&filter=path:{Uri.EscapeDataString(emoji)}")).Body
            .GetProperty("events").GetInt32());
        await AppProcess.AssertVerifies(at);
    }

    [Theory, EachStorage]
    public async Task A_fingerprint_has_the_newest_value_of_each_dimension(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new(), dimensions: ["path", "plan", "never"]);
        var now = DateTime.UtcNow;
        (int MinutesAgo, string Properties)[] sent =
        [
            (30, """{"plan":"free","path":"/old"}"""), (10, """{"path":"/new","other":"x"}"""),
            (20, """{"path":"/late","plan":true}"""), (5, """{"path":"","plan":["x"]}"""), (1, "{}"),
        ];
        foreach (var (minutesAgo, properties) in sent)
            Assert.Equal(200, (await silo.Post(Encoding.UTF8.GetBytes(
                $$"""{"action":"view","product":"k8s","fingerprint":"a/b","timestamp":"{{now.AddMinutes(-minutesAgo):O}}","properties":{{properties}}}"""),
                "application/json")).Status);
        Assert.Equal(200, (await silo.PostForm("action=view&product=k8s&fingerprint=plain")).Status);

        var answer = await silo.Get("/api/fingerprints/a%2Fb/values");
        Assert.Equal(("a/b", """{"path":"/new","plan":"true"}"""),
            (answer.Text("fingerprint"), answer.Body.GetProperty("values").GetRawText()));
        Assert.Equal("{}", (await silo.Get("/api/fingerprints/plain/values")).Body.GetProperty("values").GetRawText());
        (await silo.Get("/api/fingerprints/nobody/values")).AssertRefused(404, "unknown_fingerprint", "fingerprint");
        (await silo.Get("/api/fingerprints/%ff/values")).AssertRefused(400, "malformed_path", "fingerprint");
        (await silo.Get("/api/fingerprints/plain/values?limit=1")).AssertRefused(422, "unknown_parameter", "limit");
    }

    [Fact]
    public async Task Questions_that_cannot_be_answered_say_why()
    {
        await using var at = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var silo = await RunningSilo.Start(at, new(), dimensions: ["path", "plan"]);
        foreach (var (question, reason, field) in ((string, string, string)[])
        [
            ("/api/breakdown", "missing_field", "by"), ("/api/breakdown?by=colour", "unknown_value", "by"),
            ("/api/breakdown?by=path&filter=/pricing", "invalid_filter", "filter"),
            ("/api/breakdown?by=path&filter=path:", "invalid_filter", "filter"),
            ("/api/breakdown?by=path&filter=colour:red", "unknown_value", "filter"),
            ("/api/breakdown?by=path&from=2026-01-01T10:00:00Z", "not_on_bucket", "from"),
            ("/api/breakdown?by=path&from=2020-01-01", "too_many_days", "from"),
            ("/api/breakdown?by=path&limit=0", "out_of_range", "limit"),
            ("/api/totals?groupBy=colour", "unknown_value", "groupBy"),
            ("/api/totals?groupBy=path,path", "unknown_value", "groupBy"),
            ("/api/totals?groupBy=path,plan", "two_dimensions", "filter"),
            ("/api/totals?groupBy=path&filter=plan:free", "two_dimensions", "filter"),
            ("/api/totals?groupBy=path,action", "not_with_dimensions", "action"),
            ("/api/totals?groupBy=path&action=view", "not_with_dimensions", "action"),
            ("/api/totals?bucket=hour&filter=path:/", "not_with_dimensions", "bucket"),
            ("/api/top?of=colour", "unknown_value", "of"), ("/api/top?of=path&by=uniques", "uniques_of_products_only", "by"),
            ("/api/top?of=products&by=uniques&filter=path:/", "not_with_dimensions", "by"),
            ("/api/top?of=actions&filter=path:/", "not_with_dimensions", "of"),
            ("/api/top?of=path&compare=", "unknown_value", "compare"),
            ("/api/breakdown?by=path&compare=Previous", "unknown_value", "compare"),
            ("/api/totals?compare=previous,year", "unknown_value", "compare"),
            ("/api/totals?from=0001-01-02&to=0001-01-05&compare=year", "nothing_to_compare", "compare"),
            ("/api/top?of=fingerprints&compare=year", "fingerprints_not_compared", "compare"),
        ])
            (await silo.Get(question)).AssertRefused(422, reason, field);
    }
}
