using System.Globalization;
using System.Text.Json;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>What everyone has done, compared with a model made only of sets and sums.</summary>
public sealed class AskingForTotals(PostgresServer server)
{
    private static readonly Dictionary<string, TimeSpan> Steps = new()
    {
        ["minute"] = TimeSpan.FromMinutes(1), ["hour"] = TimeSpan.FromHours(1), ["day"] = TimeSpan.FromDays(1),
        ["all"] = TimeSpan.FromMinutes(1),
    };

    private static readonly Dictionary<string, TimeSpan> Usual = new()
    {
        ["minute"] = TimeSpan.FromHours(1), ["hour"] = TimeSpan.FromHours(48), ["day"] = TimeSpan.FromDays(30),
        ["all"] = TimeSpan.FromDays(30),
    };

    [Theory, EachStorage]
    public async Task Every_question_is_answered_as_a_model_would_while_merges_run(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new());
        var random = new Random(Seed.Next());
        var model = new EventModel();
        var asked = new TaskCompletionSource();
        var merging = Task.Run(async () => // a few deltas at a time, so that every question meets all three tables
        {
            for (var i = 0; !asked.Task.IsCompleted; i++)
                if (await silo.Database.Storage.MergeRollups(limit: 1 + i % 5) == 0) await Task.Delay(1);
        });

        var sent = new List<SentEvent>();
        for (var round = 0; round < 12; round++)
        {
            await Record(silo, model, sent, random);
            foreach (var bucket in Steps.Keys) await Ask(silo, model, bucket, random);
            foreach (var of in (string[])["products", "actions"])
                foreach (var by in (string[])["events", "newFingerprints", "uniques"])
                    if ((of, by) != ("actions", "uniques")) await AskForTop(silo, model, of, by, random);
        }
        asked.SetResult();
        await merging;
        Assert.NotEmpty(await at.Query("select 1 from rollup_hours", row => row.GetInt32(0)));
        await AppProcess.AssertVerifies(at);
    }

    // A batch of new events and some sent before. Each fingerprint's events keep the batch's order.
    private static async Task Record(RunningSilo silo, EventModel model, List<SentEvent> sent, Random random)
    {
        var batch = new List<SentEvent>();
        for (var i = 0; i < 25; i++)
        {
            if (sent.Count == 0 || random.Next(5) > 0) sent.Add(SentEvent.Draw(random, sent.Count, DateTime.UtcNow));
            batch.Add(random.Next(5) > 0 ? sent[^1] : sent[random.Next(sent.Count)]);
        }
        var receipt = (await silo.PostBatch($"[{string.Join(',', batch.Select(e => e.ToJson()))}]")).Batch;
        Assert.Equal((batch.Count(model.Add), 0), (receipt.Recorded, receipt.Refused.Count));
    }

    private static async Task Ask(RunningSilo silo, EventModel model, string bucket, Random random)
    {
        foreach (var groupBy in (string?[])[null, "product", "action", "product,action"])
        {
            var product = Maybe(SentEvent.Products, random);
            var action = Maybe(SentEvent.Actions, random);
            var range = Range(random, bucket);
            var query =
                $"bucket={bucket}{range.Query}{Given("groupBy", groupBy)}{Given("product", product)}{Given("action", action)}";
            var before = DateTime.UtcNow;
            var answer = await silo.Get("/api/totals?" + query);
            Assert.True(answer.Status == 200, $"{query}: {answer.Status} {answer.Body}");

            var (from, to) = (answer.Body.GetProperty("from").GetDateTime(),
                answer.Body.GetProperty("to").GetDateTime());
            range.AssertAnswered(from, to, Steps[bucket], Usual[bucket], before);
            Assert.Equal(bucket, answer.Text("bucket"));
            var expected = Points(model, from, to, bucket, groupBy ?? "", product, action);
            var found = answer.Body.GetProperty("points").EnumerateArray().Select(Line).ToList();
            Assert.True(expected.SequenceEqual(found),
                $"{query}\nexpected {string.Join("\n", expected.Except(found))}\nfound {string.Join("\n", found.Except(expected))}");
        }
    }

    private static List<string> Points(EventModel model, DateTime from, DateTime to, string bucket, string groupBy,
        string? product, string? action)
    {
        var (byProduct, byAction) = (groupBy.Contains("product"), groupBy.Contains("action"));
        var events = model.Between(from, to, product, action).ToList();
        var groups =
            events.Select(e => (Product: byProduct ? e.Sent.Product : null, Action: byAction ? e.Sent.Action : null))
                .Distinct()
            .OrderBy(group => group.Product, StringComparer.Ordinal).ThenBy(group => group.Action,
                StringComparer.Ordinal).ToList();
        if (groupBy == "" && groups.Count == 0) groups.Add((null, null));
        var lines = new List<string>();
        for (var (time, step) = (from, bucket == "all" ? to - from : Steps[bucket]); time < to; time += step)
            foreach (var group in groups)
            {
                var here = events.Where(e => e.Sent.Occurred >= time && e.Sent.Occurred < time + step
                    && (group.Product ?? e.Sent.Product) == e.Sent.Product
                    && (group.Action ?? e.Sent.Action) == e.Sent.Action).ToList();
                lines.Add(Line(time, group.Product, group.Action, here.Count,
                    here.Count(e => byProduct || product is not null ? e.IsNewToProduct : e.IsNew),
                    bucket == "day" && !byAction && action is null
                        ? here.Select(e => e.Sent.Fingerprint).Distinct().Count() : null));
            }
        return lines;
    }

    private static string Line(JsonElement point) =>
        Line(point.GetProperty("time").GetDateTime(), Text(point, "product"), Text(point, "action"),
        Number(point, "events")!.Value, Number(point, "newFingerprints")!.Value, Number(point, "uniqueFingerprints"));

    private static string Line(DateTime time, string? product, string? action, long events, long isNew, long? unique) =>
        $"{time:O} {product ?? "-"} {action ?? "-"}: {events} {isNew} {unique?.ToString(CultureInfo.InvariantCulture) ?? "-"}";

    private static async Task AskForTop(RunningSilo silo, EventModel model, string of, string by, Random random)
    {
        var product = Maybe(SentEvent.Products, random);
        var limit = random.Next(1, 4);
        var day = DateTime.UtcNow.Date.AddDays(-random.Next(28));
        var range = by == "uniques" ? $"&from={day:yyyy-MM-dd}&to={day.AddDays(1):yyyy-MM-dd}"
            : Range(random, "all").Query;
        var query = $"of={of}&by={by}{range}&limit={limit}{Given("product", product)}";
        var answer = await silo.Get("/api/top?" + query);
        Assert.True((answer.Status, answer.Text("of"), answer.Text("by")) == (200, of, by),
            $"{query}: {answer.Status} {answer.Body}");

        var (from, to) = (answer.Body.GetProperty("from").GetDateTime(), answer.Body.GetProperty("to").GetDateTime());
        var isDay = to - from == TimeSpan.FromDays(1) && from == from.Date;
        var expected = model.Between(from, to, product).GroupBy(e => of == "products" ? e.Sent.Product : e.Sent.Action)
            .Select(group => (Name: group.Key, Events: group.LongCount(),
                New: group.LongCount(e => of == "products" || product is not null ? e.IsNewToProduct : e.IsNew),
                Unique: of == "products" && isDay ? group.Select(e => e.Sent.Fingerprint).Distinct().LongCount()
                    : (long?)null))
            .OrderByDescending(group =>
                by switch { "events" => group.Events, "uniques" => group.Unique, _ => group.New })
            .ThenBy(group => group.Name, StringComparer.Ordinal).Take(limit).ToList();
        var name = of == "products" ? "product" : "action";
        var found =
            answer.Body.GetProperty("top").EnumerateArray()
                .Select(entry => (Text(entry, name)!, Number(entry, "events")!.Value,
            Number(entry, "newFingerprints")!.Value, Number(entry, "uniqueFingerprints"))).ToList();
        Assert.True(expected.SequenceEqual(found),
            $"{query}\nexpected {string.Join("; ", expected)}\nfound {string.Join("; ", found)}");
    }

    [Theory, EachStorage]
    public async Task An_answer_has_a_bounded_number_of_points(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new() { PointsMax = 6, TopMax = 2 });
        foreach (var product in (string[])["a", "b", "c"])
            foreach (var day in (int[])[1, 2])
                Assert.Equal(200,
                    (await silo.PostJson(
                        $$"""{"action":"view","product":"{{product}}","fingerprint":"f","timestamp":"{{DateTime.UtcNow.AddDays(-day):O}}"}""")).Status);
        var (from, to) = ($"{DateTime.UtcNow.AddDays(-3):yyyy-MM-dd}", $"{DateTime.UtcNow:yyyy-MM-dd}");
        foreach (var few in (string[])
                 [
                     "bucket=minute&from=2026-01-01T00:00:00Z&to=2026-01-01T00:06:00Z",
                     "bucket=hour&from=2026-01-01T00:00:00Z&to=2026-01-01T06:00:00Z",
                     $"from={from}&to={to}", $"bucket=all&groupBy=product,action&from={from}&to={to}",
                     "bucket=all&from=0001-01-01&to=9999-12-31",
                     $"groupBy=action&from={from}&to={to}", "groupBy=product&from=2020-01-01&to=2020-01-06",
                 ])
            Assert.Equal(200, (await silo.Get("/api/totals?" + few)).Status);
        foreach (var many in (string[])
                 [
                     "bucket=minute&from=2026-01-01T00:00:00Z&to=2026-01-01T00:07:00Z",
                     "bucket=hour&from=2026-01-01T00:00:00Z&to=2026-01-01T07:00:00Z",
                     $"groupBy=product&from={from}&to={to}", "bucket=minute&from=0001-01-01&to=9999-12-31T23:59:00Z",
                     "from=2020-01-01&to=2020-01-08", "",
                 ])
            (await silo.Get("/api/totals?" + many)).AssertRefused(422, "too_many_points");

        (await silo.Get("/api/top?of=products&limit=3")).AssertRefused(422, "out_of_range", "limit");
        foreach (var top in (string[])["", "&limit=2"])
            Assert.Equal(2, (await silo.Get("/api/top?of=products" + top)).Body.GetProperty("top").GetArrayLength());
    }

    [Fact]
    public async Task Questions_take_turns_and_do_not_pile_up()
    {
        await using var at = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var silo = await RunningSilo.Start(at, new() { QuestionsMax = 1, QuestionsWaitingMax = 1 });
        Task<Answer>[] questions;
        await using (await at.Hold("lock table rollups in access exclusive mode"))
        {
            questions = [silo.Get("/api/totals"), silo.Get("/api/top?of=actions"), silo.Get("/api/totals?bucket=all")];
            var refused = await await Task.WhenAny(questions);
            refused.AssertRefused(503, "overloaded");
            Assert.NotNull(refused.Headers.RetryAfter);
            // events do not wait for questions
            Assert.Equal(200, (await silo.PostForm("action=view&product=k8s&fingerprint=f")).Status);
            Assert.Equal(2, questions.Count(question => !question.IsCompleted));
        }
        Assert.Equal([200, 200, 503], (await Task.WhenAll(questions)).Select(answer => answer.Status).Order());
    }

    private static string? Maybe(string[] names, Random random) => random.Next(10) switch
    {
        < 5 => null,
        < 9 => names[random.Next(names.Length)],
        _ => "nobody's",
    };

    private static string Given(string name, string? value) =>
        value is null ? "" : $"&{name}={Uri.EscapeDataString(value)}";

    private static AskedRange Range(Random random, string bucket)
    {
        if (random.Next(6) == 0) return new("", null, null);
        var widest = TimeSpan.FromHours(bucket switch { "minute" => 3, "hour" => 100, "day" => 24 * 40, _ => 24 * 50 });
        var step = Steps[bucket];
        var from = DateTime.UtcNow.Date.AddMinutes(random.Next(-28 * 24 * 60, 24 * 60));
        from = from.AddTicks(-(from.Ticks % step.Ticks));
        var to = from + step * (1 + random.Next((int)(widest / step)));
        return random.Next(3) switch
        {
            0 when to.Date > from.Date && bucket != "minute" =>
                new($"&from={from:yyyy-MM-dd}&to={to:yyyy-MM-dd}", from.Date, to.Date),
            1 => new($"&from={Uri.EscapeDataString(new DateTimeOffset(from).ToOffset(TimeSpan.FromHours(5.5)).ToString("O"))}&to={to:O}", from, to),
            _ => new($"&from={from:O}&to={to:O}", from, to),
        };
    }

    private sealed record AskedRange(string Query, DateTime? From, DateTime? To)
    {
        public void AssertAnswered(DateTime from, DateTime to, TimeSpan step, TimeSpan usual, DateTime asked)
        {
            if (From is not null)
            {
                Assert.Equal((From.Value, To!.Value), (from, to));
            }
            else
            {
                Assert.Equal(usual, to - from);
                Assert.InRange(to, asked, DateTime.UtcNow + step);
            }
            Assert.Equal((0, 0), (from.Ticks % step.Ticks, to.Ticks % step.Ticks));
        }
    }

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static long? Number(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) ? value.GetInt64() : null;
}
