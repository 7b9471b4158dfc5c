using System.Text;
using System.Text.Json;
using Npgsql;
using Tally.Contracts;
using Tally.Silo.Storage;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>
/// Who was there: lists of all fingerprints, the most active ones of a day, and unique ones over days.
/// </summary>
public sealed class AskingForVisits(PostgresServer server, SharedApps apps) : IClassFixture<SharedApps>
{
    private sealed record Model(string Fingerprint, string Product, DateTime Occurred, string Id);

    // Their order differs between UTF-16, UTF-8 and a language.
    private static readonly string[] Fingerprints =
        ["a", "A", "b", "B", "é", "e\u0301", "\uFF61", "😀", "'", "\"", "\\", "%", "a b", "a/b", "ff", "00ff", "null",
            "[]", "1", "ß", "z", "zz"];

    private static readonly string[] Products = ["k8s", "vm", "käse", "K8S"];

    [Theory, EachStorage]
    public async Task Every_question_is_answered_as_a_model_would_while_merges_run(StorageKind storage)
    {
        var random = new Random(Seed.Next());
        await using var at = await TestDatabase.Create(storage, server);
        await using (var silo =
            await RunningSilo.Start(at,
                new Limits
                {
                    MergeVisitBatchesMax = 2, BatchEventsMax = 7, RunEventsMax = 3,
                    PageFingerprintsMax = 30
                }))
        {
            using var enough = new CancellationTokenSource();
            var merging = Task.Run(async () =>
            {
                while (!enough.IsCancellationRequested) await silo.Database.Storage.MergeVisits(1);
            });
            var history = new List<Model>();
            for (var round = 0; round < 5; round++)
            {
                var news = Enumerable.Range(0, 60).Select(i => Next(random, $"{round}/{i}")).ToList();
                var repeats = history.Where(_ => random.Next(4) == 0).Take(10);
                var batch =
                    news.Concat(repeats).OrderBy(_ => random.Next())
                        .Select(one =>
                            new { action = "view", one.Product, one.Fingerprint, one.Id, timestamp = one.Occurred });
                var answer =
                    await silo.Post(JsonSerializer.SerializeToUtf8Bytes(batch, JsonSerializerOptions.Web),
                        "application/json", path: Requests.BatchPath + "?history=true");
                Assert.Equal((200, 60), (answer.Status, answer.Batch.Recorded));
                history.AddRange(news);
                await Check(silo, history, random);
            }
            await enough.CancelAsync();
            await merging;
            await Check(silo, history, random);
        }
        await AppProcess.AssertVerifies(at);
    }

    private static Model Next(Random random, string id)
    {
        var midnight = DateTime.UtcNow.Date.AddDays(-random.Next(0, 45));
        var occurred = random.Next(3) switch
        {
            0 => midnight,
            1 => midnight.AddTicks(-10), // the last microsecond of the day before
            _ => midnight.AddMicroseconds(-random.NextInt64(86_400_000_000)),
        };
        return new(Fingerprints[random.Next(Fingerprints.Length)], Products[random.Next(Products.Length)], occurred,
            id);
    }

    private static async Task Check(RunningSilo silo, List<Model> history, Random random)
    {
        foreach (var product in (string?[])[null, Products[random.Next(Products.Length)], "nobody's"])
        {
            var of = history.Where(one => product is null || one.Product == product).ToList();
            foreach (var sort in (string?[])[null, "recent", "first", "total"])
                await CheckList(silo, of, sort, product, random.Next(1, 31));
            var day = history[random.Next(history.Count)].Occurred.Date;
            await CheckDays(silo, of, day, day.AddDays(1), product);
            await CheckDays(silo, of, day.AddDays(-random.Next(10)), day.AddDays(1 + random.Next(3)), product);
            await CheckRetention(silo, of, ((string[])["day", "week", "month"])[random.Next(3)], random.Next(1, 9), product);
        }
        foreach (var one in history.GroupBy(one => one.Fingerprint))
        {
            var view = (await silo.View(one.Key)).Body;
            var days = one.CountBy(e => DateOnly.FromDateTime(e.Occurred)).OrderByDescending(pair => pair.Key).ToList();
            Assert.Equal(days.Count, view.GetProperty("daysActive").GetInt32());
            Assert.Equal(days.Take(Limits.ActivityDaysMax).Select(pair => $"{pair.Key:yyyy-MM-dd} {pair.Value}"),
                Days(view, "activity"));
            var year = (await silo.Get(Requests.Path(one.Key) + "/activity")).Body;
            Assert.Equal(Enumerable.Reverse(days).Select(pair => $"{pair.Key:yyyy-MM-dd} {pair.Value}"),
                Days(year, "days"));
        }
    }

    private static IEnumerable<string> Days(JsonElement of, string name) => of.GetProperty(name).EnumerateArray()
        .Select(day => $"{day.GetProperty("day").GetString()} {day.GetProperty("events")}");

    private static async Task CheckList(RunningSilo silo, List<Model> of, string? sort, string? product, int limit)
    {
        var all = Summaries(of);
        var expected = (sort switch
        {
            "first" => all.OrderBy(one => one.FirstSeen).ThenBy(one => one.Fingerprint, Bytes),
            "total" => all.OrderByDescending(one => one.Total).ThenByDescending(one => one.Fingerprint, Bytes),
            _ => all.OrderByDescending(one => one.LastSeen).ThenByDescending(one => one.Fingerprint, Bytes),
        }).ToList();
        var found = new List<FingerprintSummary>();
        for (var after = ""; after is not null;)
        {
            var page = await Ask(silo, "/api/fingerprints", ("sort", sort), ("product", product), ("limit", $"{limit}"),
                ("after", after.Length == 0 ? null : after));
            var some = page.GetProperty("fingerprints")
                .Deserialize<List<FingerprintSummary>>(JsonSerializerOptions.Web)!;
            found.AddRange(some);
            after = page.TryGetProperty("next", out var next) ? next.GetString() : null;
            Assert.Equal(after is not null, some.Count == limit);
        }
        Assert.Equal(expected, found);
    }

    private static async Task CheckDays(RunningSilo silo, List<Model> of, DateTime from, DateTime to, string? product)
    {
        var within = of.Where(one => one.Occurred >= from && one.Occurred < to).ToList();
        (string, string?)[] range = [("from", $"{from:yyyy-MM-dd}"), ("to", $"{to:yyyy-MM-dd}"), ("product", product)];
        var top = await Ask(silo, "/api/top", [.. range, ("of", "fingerprints"), ("limit", "4")]);
        Assert.Equal(
            Summaries(within).OrderByDescending(one => one.Total).ThenBy(one => one.Fingerprint, Bytes).Take(4),
            top.GetProperty("top").EnumerateArray()
                .Select(one => new FingerprintSummary(one.GetProperty("fingerprint").GetString()!,
                one.GetProperty("events").GetInt64(), one.GetProperty("firstSeen").GetDateTime(),
                one.GetProperty("lastSeen").GetDateTime())));

        var uniques = await Ask(silo, "/api/uniques", [.. range, ("groupBy", "product")]);
        Assert.Equal((within.Count, within.Select(one => one.Fingerprint).Distinct().Count()),
            (uniques.GetProperty("events").GetInt32(), uniques.GetProperty("uniqueFingerprints").GetInt32()));
        var byProduct = within.GroupBy(one => one.Product)
            .Select(some =>
                new ProductUniques(some.Key, some.Count(), some.Select(one => one.Fingerprint).Distinct().Count()))
            .OrderByDescending(one => one.UniqueFingerprints).ThenBy(one => one.Product, Bytes).ToList();
        Assert.Equal(byProduct,
            uniques.GetProperty("products").Deserialize<List<ProductUniques>>(JsonSerializerOptions.Web));

        top = await Ask(silo, "/api/top", [.. range, ("of", "products"), ("by", "uniques"), ("limit", "2")]);
        Assert.Equal(byProduct.Take(2).Select(one => one.UniqueFingerprints),
            top.GetProperty("top").EnumerateArray().Select(one => one.GetProperty("uniqueFingerprints").GetInt64()));
    }

    private static async Task CheckRetention(
        RunningSilo silo, List<Model> of, string period, int count, string? product)
    {
        var today = DateTime.UtcNow.Date;
        var answer = await Ask(silo, "/api/retention", ("period", period), ("cohorts", $"{count}"), ("product", product));
        DateTime StartOf(DateTime time) => period switch
        {
            "day" => time.Date,
            "week" => time.Date.AddDays(-((int)time.DayOfWeek + 6) % 7),
            _ => new(time.Year, time.Month, 1, 0, 0, 0, DateTimeKind.Utc),
        };
        DateTime Before(DateTime start) => StartOf(start.AddDays(-1));
        List<DateTime> starts = [StartOf(today)];
        while (starts.Count < count) starts.Insert(0, Before(starts[0]));
        var came = of.Where(one => one.Occurred < today.AddDays(1))
            .ToLookup(one => one.Fingerprint, one => StartOf(one.Occurred));
        Assert.Equal(
            starts.Select((start, i) =>
            {
                var cohort = came.Where(periods => periods.Min() == start).ToList();
                return $"{start:O} {cohort.Count} {string.Join(',', starts.Skip(i + 1).Select(later => cohort.Count(periods => periods.Contains(later))))}";
            }),
            answer.GetProperty("cohorts").EnumerateArray().Select(cohort =>
                $"{cohort.GetProperty("from").GetDateTime():O} {cohort.GetProperty("fingerprints")} "
                + string.Join(',', cohort.GetProperty("returned").EnumerateArray())));
    }

    private static List<FingerprintSummary> Summaries(IEnumerable<Model> of) =>
        [.. of.GroupBy(one => one.Fingerprint).Select(one =>
        new FingerprintSummary(one.Key, one.Count(), one.Min(e => e.Occurred), one.Max(e => e.Occurred)))];

    private static readonly IComparer<string> Bytes =
        Comparer<string>.Create((a, b) =>
            Encoding.UTF8.GetBytes(a).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(b)));

    private static async Task<JsonElement> Ask(IServing app, string path,
        params (string Name, string? Value)[] parameters)
    {
        var answer = await app.Get(path + "?" + string.Join('&', parameters.Where(one => one.Value is not null)
            .Select(one => $"{one.Name}={Uri.EscapeDataString(one.Value!)}")));
        Assert.Equal(200, answer.Status);
        return answer.Body;
    }

    [Theory, EachStorage]
    public async Task Without_parameters_it_is_today_and_the_last_seven_days(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        var product = "p" + Guid.NewGuid();
        foreach (var days in (int[])[0, 6, 7])
            Assert.Equal(200,
                (await app.PostForm(
                    $"action=view&product={product}&fingerprint=of-{days}&timestamp={DateTime.UtcNow.AddDays(-days):yyyy-MM-dd'T'HH:mm:ss'Z'}")).Status);
        var top = await Ask(app, "/api/top", ("of", "fingerprints"), ("product", product));
        Assert.Equal("of-0",
            Assert.Single(top.GetProperty("top").EnumerateArray()).GetProperty("fingerprint").GetString());
        var uniques = await Ask(app, "/api/uniques", ("product", product));
        Assert.Equal(2, uniques.GetProperty("uniqueFingerprints").GetInt32());
        Assert.False(uniques.TryGetProperty("products", out _));
        Assert.Equal(3,
            (await Ask(app, "/api/fingerprints", ("product", product))).GetProperty("fingerprints").GetArrayLength());
    }

    [Theory, EachStorage]
    public async Task Whoever_was_seen_in_the_last_five_minutes_is_here(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var app = await AppProcess.Start(at);
        foreach (var (fingerprint, product, minutes) in ((string, string, int)[])
                 [
                     ("a", "k8s", 0), ("a", "vms", 0), ("b", "k8s", 2), ("b", "k8s", 60), ("c", "vms", 0), ("d", "k8s", 6),
                     ("e", "k8s", 24 * 60),
                 ])
        {
            var timestamp = DateTime.UtcNow.AddMinutes(-minutes).ToString("yyyy-MM-ddTHH:mm:ss.fffZ");
            Assert.Equal(200, (await app.PostForm(
                $"action=view&product={product}&fingerprint={fingerprint}&timestamp={timestamp}")).Status);
        }
        foreach (var (query, count) in ((string, int)[])[("", 3), ("?product=k8s", 2), ("?product=nobody", 0)])
            Assert.Equal(count,
                (await app.Get("/api/present" + query)).Body.GetProperty("fingerprints").GetInt32());
        (await app.Get("/api/present?product=")).AssertRefused(422, "missing_field", "product");
    }

    [Theory, EachStorage]
    public async Task Odd_parameters_are_refused(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        var tooLong = new string('x', 257);
        foreach (var (path, reason, field) in ((string, string, string)[])
                 [
                     ("/api/fingerprints?sort=newest", "unknown_value", "sort"),
                     ("/api/fingerprints?sort=", "unknown_value", "sort"),
                     ("/api/fingerprints?sort=RECENT", "unknown_value", "sort"),
                     ("/api/fingerprints?sort=1", "unknown_value", "sort"),
                     ("/api/fingerprints?limit=0", "out_of_range", "limit"),
                     ("/api/fingerprints?limit=1001", "out_of_range", "limit"),
                     ("/api/fingerprints?limit=-1", "out_of_range", "limit"),
                     ("/api/fingerprints?limit=9999999999999999999", "out_of_range", "limit"),
                     ("/api/fingerprints?product=", "missing_field", "product"),
                     ("/api/fingerprints?product=a%00b", "invalid_characters", "product"),
                     ("/api/fingerprints?product=" + tooLong, "too_long", "product"),
                     ("/api/fingerprints?product=a&product=b", "duplicate_field", "product"),
                     ("/api/fingerprints?after=", "invalid_cursor", "after"),
                     ("/api/fingerprints?after=0", "invalid_cursor", "after"),
                     ("/api/fingerprints?after=" + new string('A', 4_000), "invalid_cursor", "after"),
                     ("/api/fingerprints?after='%20or%201=1--", "invalid_cursor", "after"),
                     // a cursor of another list
                     ("/api/fingerprints?sort=total&after=Af__________YQ", "invalid_cursor", "after"),
                     ("/api/fingerprints?after=Af__________YQ", "invalid_cursor", "after"), // a time before all times
                     // a fingerprint that is not UTF-8
                     ("/api/fingerprints?after=AQjeSVTLmoYA_w", "invalid_cursor", "after"),
                     // a control character
                     ("/api/fingerprints?after=AQjeSVTLmoYAAA", "invalid_cursor", "after"),
                     ("/api/fingerprints?after=AQjeSVTLmoYA", "invalid_cursor", "after"), // no fingerprint
                     ("/api/uniques?to=tomorrow", "invalid_time", "to"),
                     ("/api/uniques?from=2026-01-02&to=2026-01-02", "empty_range", "from"),
                     ("/api/uniques?from=0001-01-01&to=9999-12-31", "too_many_days", "from"),
                     ("/api/uniques?from=2025-01-01&to=2026-01-03", "too_many_days", "from"),
                     ("/api/uniques?groupBy=action", "unknown_value", "groupBy"),
                     ("/api/uniques?groupBy=product&groupBy=product", "duplicate_field", "groupBy"),
                     ("/api/retention?period=year", "unknown_value", "period"),
                     ("/api/retention?cohorts=0", "out_of_range", "cohorts"),
                     ("/api/retention?cohorts=367", "out_of_range", "cohorts"),
                     ("/api/retention?cohorts=1e1", "out_of_range", "cohorts"),
                     ("/api/retention?period=month&cohorts=14", "too_many_days", "cohorts"),
                     ("/api/retention?period=week&cohorts=366", "too_many_days", "cohorts"),
                     ("/api/retention?product=" + tooLong, "too_long", "product"),
                     ("/api/uniques?product=" + tooLong, "too_long", "product"),
                     ("/api/uniques?from=2026-01-01&from=2026-01-01", "duplicate_field", "from"),
                 ])
            (await app.Get(path)).AssertRefused(422, reason, field);
        foreach (var path in (string[])["/api/fingerprints?limit=1000", "/api/uniques?from=0001-01-01&to=0001-01-02",
            "/api/top?of=fingerprints&to=0001-01-02",
                     "/api/uniques?to=0001-01-03", "/api/uniques?from=2025-01-01&to=2026-01-02",
                     "/api/fingerprints?product=x' or 1=1"])
            Assert.Equal(200, (await app.Get(path)).Status);
    }

    [Theory, EachStorage]
    public async Task A_question_that_cannot_see_all_is_not_answered(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var app =
            await AppProcess.Start(at,
                new() { ["Limits__QuestionSecondsMax"] = storage == StorageKind.Postgres ? "1" : "10" });
        Assert.Equal(200, (await app.PostForm("action=view&product=k8s&fingerprint=a")).Status);
        // the first may take longer
        await Eventually.True(async () => (await app.Get("/api/fingerprints")).Status == 200, "It is not answered.");
        await using (await HoldMerges(at))
        {
            if (storage == StorageKind.Postgres)
                Assert.Equal(200, (await app.PostForm("action=view&product=k8s&fingerprint=b")).Status);
            var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => app.Get("/api/fingerprints")));
            if (storage == StorageKind.Postgres)
                Assert.All(answers, answer => answer.AssertRefused(503, "unavailable"));
            // nothing to merge, so readers wait for nobody
            else Assert.All(answers, answer => Assert.Equal(200, answer.Status));
        }
        var last = default(Answer);
        await Eventually.True(async () => (last = await app.Get("/api/fingerprints")).Status == 200,
            "It is not answered any more.");
        Assert.Equal(storage == StorageKind.Postgres ? 2 : 1, last!.Body.GetProperty("fingerprints").GetArrayLength());
    }

    private static async Task<IAsyncDisposable> HoldMerges(TestDatabase at)
    {
        if (at.Kind == StorageKind.Sqlite) return await at.HoldWrites();
        var connection = new NpgsqlConnection(at.Url + ";Pooling=false");
        await connection.OpenAsync();
        await using var take = new NpgsqlCommand("select pg_advisory_lock(7020302)", connection);
        await take.ExecuteNonQueryAsync();
        return connection;
    }
}
