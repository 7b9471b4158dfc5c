using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>A dry run says what a rule would have done, and does nothing.</summary>
public sealed class TryingRules(PostgresServer server)
{
    private const string A = """{"product":"p","action":"a"}""", B = """{"product":"p","action":"b"}""";

    private static readonly string[] Rules =
    [
        $$$$"""{"when":{"event":{{{{A}}}},"count":"first"}}""",
        $$$$"""{"when":{"event":{{{{A}}}},"count":{"every":2}},"how":"each"}""",
        $$$$"""{"when":{"event":{{{{A}}}},"count":{"times":2,"within":"PT30M"}},"how":"daily"}""",
        $$$$"""{"when":{"event":{{{{A}}}},"then":{"event":{{{{B}}}},"within":"PT1H"}},"how":"each"}""",
        $$$$"""{"when":{"event":{{{{A}}}},"without":{"event":{{{{B}}}},"within":"PT1H"}},"how":"each"}""",
        $$$$"""{"when":{"event":{{{{A}}}},"without":{"event":{{{{B}}}},"within":"PT1H"}},"how":"daily"}""",
        $$$$"""{"when":{"event":{{{{A}}}},"without":{"event":{{{{B}}}},"within":"PT1H"}},"how":"once"}""",
    ];

    [Theory, EachStorage]
    public async Task It_says_what_the_rule_then_does(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new());
        var begin = DateTime.UtcNow.Date.AddDays(-3);
        // Whoever does b does it within the batch of a, so that no clock comes between.
        List<string> events = [];
        var random = new Random(7);
        for (var i = 0; i < 120; i++)
            events.Add($$"""{"product":"p","action":"{{(random.Next(3) == 0 ? "b" : "a")}}","fingerprint":"f{{random.Next(4)}}","timestamp":"{{begin.AddMinutes(i * 20):yyyy-MM-dd'T'HH:mm:ss'Z'}}"}""");
        var batch = $"[{string.Join(',', events)}]";
        Assert.Equal(120, (await silo.PostBatch(batch, "first")).Batch.Recorded);
        var answers = new List<Answer>();
        foreach (var rule in Rules) answers.Add(await Try(silo, "r", rule, "&from=" + begin.ToString("yyyy-MM-dd")));
        Assert.Empty((await silo.Get("/api/rules")).Body.GetProperty("rules").EnumerateArray());
        Assert.Equal((0, 0), (await Count(at, "rules"), await Count(at, "rule_sets")));

        foreach (var (i, rule) in Rules.Index()) Assert.Equal(201, (await silo.PutRule($"r{i}", rule)).Status);
        Assert.Equal(120, (await silo.PostBatch(batch.Replace(":\"f", ":\"g"), "second")).Batch.Recorded);
        await Eventually.True(async () => await Count(at, "rule_deadlines") == 0, "A deadline stays.");
        foreach (var (i, answer) in answers.Index())
        {
            var fired = await at.Query("select f.fingerprint, f.sequence from firings f join rules r on r.id = f.rule "
                + $"where r.name = 'r{i}'", row => $"{row.GetString(0)} {row.GetInt64(1)}");
            Assert.Equal((i, 200, 120, fired.Count), (i, answer.Status, answer.Body.GetProperty("events").GetInt32(),
                answer.Body.GetProperty("firings").GetInt32()));
            Assert.Equal(fired.Count,
                answer.Body.GetProperty("days").EnumerateArray().Sum(day => day.GetProperty("firings").GetInt32()));
            var first = answer.Body.GetProperty("first").EnumerateArray().ToList();
            Assert.Equal(Math.Min(20, fired.Count), first.Count);
            Assert.Equal(first.Select(one => one.GetProperty("time").GetDateTime()).Order(),
                first.Select(one => one.GetProperty("time").GetDateTime()));
            Assert.Subset(fired.ToHashSet(), first.Select(one =>
                $"{one.GetProperty("fingerprint").GetString()!.Replace('f', 'g')} {one.GetProperty("sequence").GetInt64()}")
                .ToHashSet());
        }
        Assert.Null(await AppProcess.Verify(at));

        var later = await Try(silo, "r", Rules[1], "&from=" + begin.AddDays(1).ToString("yyyy-MM-dd"));
        Assert.InRange(later.Body.GetProperty("events").GetInt32(), 1, 119);
    }

    [Theory, EachStorage]
    public async Task It_says_when_nobody_did_it(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new());
        var begin = DateTime.UtcNow.Date.AddDays(-3);
        foreach (var (minute, action) in ((int, string)[])[(5, "a"), (5, "a"), (30, "b"), (66, "a"), (70, "a")])
            Assert.Equal(200, (await silo.PostJson($$"""{"product":"p","action":"{{action}}","fingerprint":"f{{minute}}","timestamp":"{{begin.AddMinutes(minute):yyyy-MM-dd'T'HH:mm:ss'Z'}}"}""")).Status);
        foreach (var (how, times) in ((string, DateTime[])[])
                 [
                     ("each", [begin.AddMinutes(66), begin.AddMinutes(131)]), ("once", [begin.AddMinutes(66)]),
                     ("daily", [begin.AddMinutes(66)]),
                 ])
        {
            var answer = await Try(silo, "r",
                $$$$"""{"when":{"event":{{{{A}}}},"silence":{"within":"PT1H"}},"how":"{{{{how}}}}"}""",
                $"&from={begin:yyyy-MM-dd}");
            Assert.Equal((200, 4), (answer.Status, answer.Body.GetProperty("events").GetInt32()));
            Assert.Equal(times, answer.Body.GetProperty("first").EnumerateArray()
                .Select(one => one.GetProperty("time").GetDateTime()));
            Assert.All(answer.Body.GetProperty("first").EnumerateArray(),
                one => Assert.Equal(["time"], one.EnumerateObject().Select(member => member.Name)));
        }
    }

    [Fact]
    public async Task What_cannot_be_tried_is_refused()
    {
        await using var at = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var silo = await RunningSilo.Start(at, new());
        foreach (var (query, reason, field) in ((string, string, string)[])
                 [
                     ("?dryRun=yes", "unknown_value", "dryRun"), ("?from=2026-01-01", "unknown_value", "from"),
                     ("?dryRun=false&from=2026-01-01", "unknown_value", "from"),
                     ("?dryRun=true&from=yesterday", "invalid_time", "from"),
                     ("?dryrun=true", "unknown_parameter", "dryrun"),
                 ])
            (await silo.PutRule("r" + query, Rules[0])).AssertRefused(422, reason, field);
        (await silo.PutRule("r?dryRun=true", "{}")).AssertRefused(422, "invalid_rule", "");
        Assert.Equal(200, (await silo.PutRule("r?dryRun=true&from=0001-01-01", Rules[0])).Status);
        Assert.Equal(0, await Count(at, "rules"));
    }

    private static Task<Answer> Try(IServing app, string name, string rule, string query) =>
        app.PutRule($"{name}?dryRun=true{query}", rule);

    private static async Task<long> Count(TestDatabase at, string rows) =>
        (await at.Query("select count(*) from " + rows, row => row.GetInt64(0)))[0];
}
