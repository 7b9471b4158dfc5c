using System.Text.Json;
using Tally.Contracts;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>How many did one thing after another, compared with a model that tries every choice of events.</summary>
public sealed class AskingForFunnels(PostgresServer server)
{
    private static readonly DateTime Day = DateTime.UtcNow.Date.AddDays(-10);

    [Theory, EachStorage]
    public async Task Every_funnel_is_counted_as_a_model_would(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new(), dimensions: ["path"]);
        var random = new Random(Seed.Next());
        var recorded = new List<FunnelEvent>();
        for (var round = 0; round < 12; round++)
        {
            var batch = Enumerable.Range(0, 15).Select(i => recorded.Count > 0 && random.Next(6) == 0
                ? recorded[random.Next(recorded.Count)] : FunnelEvent.Draw(random, 100 * round + i, Day)).ToList();
            Assert.Equal(batch.Count, (await silo.PostBatch($"[{string.Join(',', batch.Select(one => one.ToJson()))}]")).Batch.Handled);
            recorded = [.. recorded.Union(batch)];
            if (random.Next(3) == 0)
            {
                var erased = recorded[random.Next(recorded.Count)].Fingerprint;
                Assert.Equal(200, (await silo.Send(new(HttpMethod.Delete, Requests.Path(erased)))).Status);
                recorded.RemoveAll(one => one.Fingerprint == erased);
            }
            // at once, some of them given up
            await Task.WhenAll(Enumerable.Range(0, 8).Select(i =>
            {
                var model = FunnelModel.Draw(new(random.Next()), Day);
                return i < 6 ? Ask(silo, model, recorded) : GiveUp(silo, model);
            }));
        }
    }

    private static async Task Ask(RunningSilo silo, FunnelModel model, List<FunnelEvent> recorded)
    {
        var answer = await silo.Get(Question(model));
        Assert.Equal(200, answer.Status);
        List<string> lines =
        [
            .. Lines("all", answer.Body),
            .. answer.Body.TryGetProperty("values", out var values) ? values.EnumerateArray().SelectMany(one =>
                Lines("value " + (one.TryGetProperty("value", out var value) ? value.GetString() : ""), one)) : [],
            .. answer.Body.TryGetProperty("other", out var other) ? Lines("other", other) : [],
        ];
        Assert.Equal(model.Lines(recorded, 2), lines);
    }

    private static string Question(FunnelModel model) =>
        $"/api/funnel?steps={Uri.EscapeDataString(string.Join(',', model.Steps))}&within={model.Within.TotalMinutes}m"
        + $"&from={model.From:yyyy-MM-dd}&to={model.To:yyyy-MM-dd}&limit=2"
        + (model.Product is null ? "" : "&product=" + model.Product) + (model.ByPath ? "&breakdown=path" : "");

    private static async Task GiveUp(RunningSilo silo, FunnelModel model)
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(2));
        try
        {
            using var answer = await silo.Http.GetAsync(Question(model), soon.Token);
        }
        catch (OperationCanceledException)
        {
            // as meant
        }
    }

    private static IEnumerable<string> Lines(string of, JsonElement answer)
    {
        var steps = answer.GetProperty("steps").EnumerateArray().ToList();
        var counts = steps.Select(step => step.GetProperty("fingerprints").GetInt64()).ToList();
        for (var i = 0; i < steps.Count; i++)
        {
            Assert.Equal(counts[0] == 0 ? null : (double)counts[i] / counts[0], Number(steps[i], "shareOfFirst"));
            Assert.Equal(i == 0 || counts[i - 1] == 0 ? null : (double)counts[i] / counts[i - 1],
                Number(steps[i], "shareOfPrevious"));
            yield return FunnelModel.Line(of, steps[i].GetProperty("step").GetString()!, counts[i],
                Number(steps[i], "medianSecondsSinceFirst"), Number(steps[i], "medianSecondsSincePrevious"));
        }
    }

    private static double? Number(JsonElement of, string name) =>
        of.TryGetProperty(name, out var member) ? member.GetDouble() : null;

    [Theory, EachStorage]
    public async Task More_times_than_fit_into_memory_are_refused(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new Limits { MedianTimesMax = 100 });
        foreach (var action in (string[])["view", "buy"])
            Assert.Equal(200, (await silo.PostBatch($"[{string.Join(',', Enumerable.Range(0, 100).Select(i =>
                $$"""{"action":"{{action}}","product":"{{(i < 30 ? "k8s" : "vms")}}","fingerprint":"f{{i}}"}"""))}]")).Status);
        (await silo.Get("/api/funnel?steps=view,buy")).AssertRefused(422, "too_many_times");
        var fewer = await silo.Get("/api/funnel?steps=view,buy&product=k8s");
        Assert.Equal(30, fewer.Body.GetProperty("steps")[1].GetProperty("fingerprints").GetInt32());
    }

    [Theory, EachStorage]
    public async Task Questions_that_cannot_be_answered_say_why(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new(), dimensions: ["path"]);
        var injection = Uri.EscapeDataString("view,x' or 1=1; drop table events; --");
        foreach (var (question, reason, field) in ((string, string, string)[])
        [
            ("", "missing_field", "steps"), ("steps=", "missing_field", "steps"),
            ("steps=view", "invalid_steps", "steps"), ("steps=view,", "invalid_steps", "steps"),
            ("steps=view[path],buy", "invalid_steps", "steps"), ("steps=view[path=/,buy", "invalid_steps", "steps"),
            ("steps=a,b,c,d,e,f,g,h,i", "invalid_steps", "steps"),
            ("steps=" + string.Join(',', Enumerable.Repeat("a", 3_000)), "invalid_steps", "steps"),
            ("steps=view,a%00b", "invalid_characters", "steps"), ("steps=view,a%0Ab", "invalid_characters", "steps"),
            ($"steps=view,{new string('x', 257)}", "too_long", "steps"),
            ("steps=view,buy&steps=view,buy", "duplicate_field", "steps"),
            ("steps=view,buy&product=", "missing_field", "product"),
            ("steps=view,buy&product=a%00b", "invalid_characters", "product"),
            ("steps=view,buy&within=", "unknown_value", "within"), ("steps=view,buy&within=7", "unknown_value", "within"),
            ("steps=view,buy&within=d", "unknown_value", "within"), ("steps=view,buy&within=0d", "unknown_value", "within"),
            ("steps=view,buy&within=-1d", "unknown_value", "within"), ("steps=view,buy&within=1.5d", "unknown_value", "within"),
            ("steps=view,buy&within=1w", "unknown_value", "within"), ("steps=view,buy&within=91d", "unknown_value", "within"),
            ("steps=view,buy&within=2161h", "unknown_value", "within"), ("steps=view,buy&within=129601m", "unknown_value", "within"),
            ("steps=view,buy&within=99999999999d", "unknown_value", "within"), ("steps=view,buy&within=%D9%A1d", "unknown_value", "within"),
            ("steps=view,buy&from=x", "invalid_time", "from"), ("steps=view,buy&to=2026-01-01T10:00:00Z", "not_on_bucket", "to"),
            ("steps=view,buy&from=2026-01-02&to=2026-01-01", "empty_range", "from"),
            ("steps=view,buy&from=2020-01-01", "too_many_days", "from"),
            ("steps=view,buy&breakdown=colour", "unknown_value", "breakdown"),
            ("steps=view,buy&breakdown=", "unknown_value", "breakdown"),
            ("steps=view,buy&limit=0", "out_of_range", "limit"), ("steps=view,buy&limit=1001", "out_of_range", "limit"),
        ])
        {
            var answer = await silo.Get("/api/funnel?" + question);
            Assert.True(answer.Reason == reason, $"{question}: {answer.Status} {answer.Reason}");
            answer.AssertRefused(422, reason, field);
        }
        foreach (var odd in (string[])
        [
            "steps=view,buy&within=90d", "steps=view,buy&within=129600m", $"steps={injection}",
            "steps=view,buy&from=9999-12-01&to=9999-12-31&within=90d", "steps=view,buy&from=0001-01-01&to=0001-01-03",
            $"steps=view[__proto__=1,$x=%00],view[{new string('n', 3_000)}={new string('v', 3_000)}]",
            "steps=a,b,c,d,e,f,g,h&breakdown=path&limit=1000",
        ])
        {
            var answer = await silo.Get("/api/funnel?" + odd);
            Assert.True(answer.Status == 200, $"{odd}: {answer.Body}");
            Assert.All(answer.Body.GetProperty("steps").EnumerateArray(),
                step => Assert.Equal(0, step.GetProperty("fingerprints").GetInt32()));
        }
        var usual = await silo.Get("/api/funnel?steps=view,buy");
        Assert.Equal(("7d", DateTime.UtcNow.Date.AddDays(-29)),
            (usual.Text("within"), usual.Body.GetProperty("from").GetDateTime()));
    }
}
