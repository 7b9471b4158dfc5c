using System.Globalization;
using System.Text.Json;
using Tally.Contracts;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>
/// A question with compare has the answer that it has without it, and beside each count what the same question about
/// the earlier range answers.
/// </summary>
public sealed class ComparingRanges(PostgresServer server)
{
    private const int DaysBack = 29;
    private static readonly string[] Paths = ["/", "/pricing", "/käse ☕"];
    private static readonly string[] Counts =
        ["events", "newFingerprints", "uniqueFingerprints", "dailyFingerprints"];

    private static readonly string[] Questions =
    [
        "totals?bucket=day", "totals?bucket=all", "totals?bucket=hour&product=k8s", "totals?groupBy=product,action",
        "totals?groupBy=path", "totals?bucket=all&groupBy=path,product", "totals?filter=path:/pricing&product=k8s",
        "top?of=products", "top?of=actions&limit=1", "top?of=products&by=newFingerprints", "top?of=products&by=uniques",
        "top?of=path&limit=2", "top?of=products&filter=path:/", "breakdown?by=path&limit=2",
        "breakdown?by=path&product=k8s", "breakdown?by=path&filter=plan:pro", "breakdown?by=plan&filter=plan:pro",
    ];

    [Theory, EachStorage]
    public async Task Each_count_stands_beside_that_of_the_earlier_range(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo =
            await RunningSilo.Start(at, new Limits { DimensionValuesMax = 2 }, dimensions: ["path", "plan"]);
        var random = new Random(Seed.Next());
        var today = DateTime.UtcNow.Date;
        var batch = Enumerable.Range(0, 300).Select(i => JsonSerializer.Serialize(new
        {
            id = $"{i}",
            fingerprint = $"visitor-{random.Next(9)}",
            product = random.Next(3) == 0 ? "docs" : "k8s",
            action = random.Next(3) == 0 ? "buy" : "view",
            timestamp = today.AddDays(-random.Next(DaysBack)).AddTicks(-10),
            properties = new { path = Paths[random.Next(Paths.Length)], plan = random.Next(2) == 0 ? "free" : "pro" },
        }));
        Assert.Equal(200, (await silo.PostBatch($"[{string.Join(',', batch)}]")).Status);
        var differ = 0;
        foreach (var question in Questions)
            for (var round = 0; round < 3; round++)
            {
                var from = today.AddDays(-random.Next(10));
                differ += await Compare(silo, question, from, from.AddDays(1 + random.Next(9)));
            }
        Assert.True(differ > Questions.Length, $"Only {differ} counts differ from their earlier ones.");
    }

    // Returns how many counts have changed.
    private static async Task<int> Compare(RunningSilo silo, string question, DateTime from, DateTime to)
    {
        var answer = await Get(silo, question, from, to, "&compare=previous");
        var plain = await Get(silo, question, from, to, "");
        var earlierFrom = answer.GetProperty("compared").GetProperty("from").GetDateTime();
        var earlierTo = answer.GetProperty("compared").GetProperty("to").GetDateTime();
        Assert.Equal((from.DayOfWeek, to - from), (earlierFrom.DayOfWeek, earlierTo - earlierFrom));
        Assert.InRange(from - earlierTo, TimeSpan.Zero, TimeSpan.FromDays(6));

        var earlier = Entries(await Get(silo, WithoutLimit(question), earlierFrom, earlierTo, ""), earlierFrom);
        var expected = Entries(plain, from);
        var compared = Entries(answer, from);
        Assert.Equal(expected.Keys, compared.Keys.Where(key => expected.ContainsKey(key)));
        var differ = 0;
        foreach (var (key, entry) in compared)
        {
            var then = entry.GetProperty("compared");
            foreach (var count in Counts.Where(count => entry.TryGetProperty(count, out _)))
            {
                var was = earlier.TryGetValue(key, out var old) ? Number(old, count) : 0;
                Assert.True(was == Number(then, count), $"{question} {key} {count}: {entry}, but earlier {old}");
                if (expected.TryGetValue(key, out var now))
                    Assert.Equal(Number(now, count), Number(entry, count));
                if (was != Number(entry, count)) differ++;
            }
            var (events, before) = (Number(entry, "events"), Number(then, "events"));
            double? change = before == 0 ? null : (events - before) / (double)before;
            Assert.Equal(change, then.TryGetProperty("change", out var told) ? told.GetDouble() : null);
        }
        // What is not there any more is told of too, where everything is listed.
        if (question.StartsWith("totals", StringComparison.Ordinal))
            Assert.Subset(compared.Keys.ToHashSet(), earlier.Keys.ToHashSet());
        if (answer.TryGetProperty("events", out _))
            Assert.Equal(
                earlier.Values.Sum(one => Number(one, "events")), Number(answer.GetProperty("compared"), "events"));
        return differ;
    }

    // Entries by what they are of. A point's time counts from the start of its range.
    private static Dictionary<string, JsonElement> Entries(JsonElement answer, DateTime from)
    {
        IEnumerable<JsonElement> all = answer.TryGetProperty("points", out var points) ? points.EnumerateArray()
            : answer.TryGetProperty("top", out var top) ? top.EnumerateArray()
            : [.. answer.GetProperty("values").EnumerateArray(),
                .. answer.TryGetProperty("other", out var other) ? (JsonElement[])[other] : []];
        return all.ToDictionary(entry => string.Join(' ',
            entry.TryGetProperty("time", out var time) ? time.GetDateTime() - from : TimeSpan.Zero,
            Text(entry, "product"), Text(entry, "action"), Text(entry, "value")));
    }

    private static string WithoutLimit(string question) =>
        question.StartsWith("totals", StringComparison.Ordinal) ? question
            : question.Split("&limit")[0] + "&limit=1000";

    private static string? Text(JsonElement entry, string name) =>
        entry.TryGetProperty(name, out var text) ? text.GetString() : null;

    private static long Number(JsonElement entry, string name) =>
        entry.TryGetProperty(name, out var number) ? number.GetInt64() : 0;

    private static async Task<JsonElement> Get(
        RunningSilo silo, string question, DateTime from, DateTime to, string more)
    {
        var answer = await silo.Get(string.Create(CultureInfo.InvariantCulture,
            $"/api/{question}&from={from:yyyy-MM-dd}&to={to:yyyy-MM-dd}{more}"));
        Assert.True(answer.Status == 200, $"{question}: {answer.Status} {answer.Body}");
        return answer.Body;
    }
}
