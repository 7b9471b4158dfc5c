using System.Globalization;
using System.Text.Json;
using Tally.Contracts;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>Sessions, compared with a model that splits whole histories at their pauses.</summary>
public sealed class AskingForSessions(PostgresServer server)
{
    private static readonly DateTime Day = DateTime.UtcNow.Date.AddDays(-10);

    [Theory, EachStorage]
    public async Task Sessions_are_those_of_a_model(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new());
        var random = new Random(Seed.Next());
        var recorded = new List<FunnelEvent>();
        for (var round = 0; round < 12; round++)
        {
            var batch = Enumerable.Range(0, 15).Select(i => recorded.Count > 0 && random.Next(6) == 0
                ? recorded[random.Next(recorded.Count)] : SessionModel.Draw(random, 100 * round + i, Day)).ToList();
            Assert.Equal(15, (await silo.PostBatch($"[{string.Join(',', batch.Select(one => one.ToJson()))}]")).Batch.Handled);
            recorded = [.. recorded.Union(batch)];
            if (random.Next(4) == 0)
            {
                var erased = recorded[random.Next(recorded.Count)].Fingerprint;
                Assert.Equal(200, (await silo.Send(new(HttpMethod.Delete, Requests.Path(erased)))).Status);
                recorded.RemoveAll(one => one.Fingerprint == erased);
            }
            var asked = Enumerable.Range(0, 4).Select(_ => random.Next()).ToList();
            await Task.WhenAll(asked.Select(seed => AskForTotals(silo, recorded, new(seed)))
                .Concat(asked.Select(seed => AskForList(silo, recorded, new(seed)))));
        }
    }

    private static async Task AskForTotals(RunningSilo silo, List<FunnelEvent> recorded, Random random)
    {
        var (from, to) = (Day.AddDays(-random.Next(3)), Day.AddDays(random.Next(1, 3)));
        var product = random.Next(2) == 0 ? "k8s" : null;
        var sessions = SessionModel.Of(recorded, product, from, to);
        var answer = (await silo.Get($"/api/sessions?from={from:yyyy-MM-dd}&to={to:yyyy-MM-dd}&limit=2"
            + (product is null ? "" : "&product=" + product))).Body;
        Assert.Equal((from, to), (answer.GetProperty("from").GetDateTime(), answer.GetProperty("to").GetDateTime()));
        Assert.Equal((sessions.Count, sessions.Sum(session => session.Count)),
            (answer.GetProperty("sessions").GetInt32(), answer.GetProperty("events").GetInt32()));
        var lengths = sessions.Select(session => session[^1].Occurred - session[0].Occurred).Order().ToArray();
        Assert.Equal(lengths.Length == 0 ? null
            : ((lengths[(lengths.Length - 1) / 2] + lengths[lengths.Length / 2]) / 2).TotalSeconds,
            Number(answer, "medianSeconds"));
        Assert.Equal(sessions.Count == 0 ? null : (double)sessions.Sum(session => session.Count) / sessions.Count,
            Number(answer, "eventsPerSession"));
        Assert.Equal(
            sessions.Count == 0 ? null : (double)sessions.Count(session => session.Count == 1) / sessions.Count,
            Number(answer, "bounceShare"));
        Assert.Equal(Top(sessions.Select(SessionModel.EntryPath)), Pages(answer, "entryPages"));
        Assert.Equal(Top(sessions.Select(SessionModel.ExitPath)), Pages(answer, "exitPages"));
    }

    private static IEnumerable<string> Top(IEnumerable<string?> paths) => paths.OfType<string>().CountBy(path => path)
        .OrderByDescending(page => page.Value).ThenBy(page => page.Key, StringComparer.Ordinal).Take(2)
        .Select(page => $"{page.Key} {page.Value}");

    private static IEnumerable<string> Pages(JsonElement answer, string name) => answer.GetProperty(name)
        .EnumerateArray().Select(page => $"{page.GetProperty("path").GetString()} {page.GetProperty("sessions")}");

    private static double? Number(JsonElement of, string name) =>
        of.TryGetProperty(name, out var member) ? member.GetDouble() : null;

    private static async Task AskForList(RunningSilo silo, List<FunnelEvent> recorded, Random random)
    {
        var fingerprint = $"visitor-{random.Next(4)}";
        var product = random.Next(2) == 0 ? "k8s" : null;
        var limit = random.Next(1, 5);
        var isWhole = random.Next(2) == 0;
        // any time, not only the start of a day
        var from = isWhole ? DateTime.MinValue : Day.AddMinutes(random.Next(-8, 5) * 15);
        var to = isWhole ? DateTime.MaxValue : from.AddMinutes(random.Next(1, 200) * 15);
        var own = recorded.Where(one => one.Fingerprint == fingerprint).ToList();
        var answer = await silo.Get($"/api/fingerprints/{fingerprint}/sessions?limit={limit}"
            + (product is null ? "" : "&product=" + product)
            + (isWhole ? "" : string.Create(CultureInfo.InvariantCulture, $"&from={from:O}&to={to:O}")));
        if (own.Count == 0)
        {
            answer.AssertRefused(404, "unknown_fingerprint", "fingerprint");
            return;
        }
        Assert.Equal(fingerprint, answer.Text("fingerprint"));
        Assert.Equal(
            SessionModel.Of(own, product, from, to).OrderByDescending(session => session[0].Occurred)
                .ThenBy(session => session[0].Product, StringComparer.Ordinal).Take(limit).Select(SessionModel.Line),
            answer.Body.GetProperty("sessions").EnumerateArray().Select(one => SessionModel.Line(
                one.GetProperty("product").GetString()!, one.GetProperty("start").GetDateTime(),
                one.GetProperty("end").GetDateTime(), one.GetProperty("events").GetInt64(),
                one.TryGetProperty("entryPath", out var entry) ? entry.GetString() : null,
                one.TryGetProperty("exitPath", out var exit) ? exit.GetString() : null)));
    }

    [Theory, EachStorage]
    public async Task A_late_event_joins_two_sessions(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new());
        foreach (var (minute, sessions) in ((int, int)[])[(0, 1), (50, 2), (25, 1), (-31, 2), (-30, 1), (80, 1)])
        {
            await silo.PostJson(new FunnelEvent(minute, "f", "k8s", "view", Day.AddHours(5).AddMinutes(minute), null, null).ToJson());
            var answer = await silo.Get($"/api/sessions?from={Day:yyyy-MM-dd}");
            Assert.Equal(sessions, answer.Body.GetProperty("sessions").GetInt32());
        }
    }

    [Theory, EachStorage]
    public async Task Beyond_the_limits_paths_count_together_and_sessions_are_refused(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new Limits { MedianTimesMax = 100, DimensionValuesMax = 3 });
        var events = Enumerable.Range(0, 100).Select(i =>
            new FunnelEvent(i, $"f{i:000}", "k8s", "view", Day, $"/{i % 5}", null).ToJson());
        Assert.Equal(100, (await silo.PostBatch($"[{string.Join(',', events)}]")).Batch.Recorded);
        var answer = await silo.Get($"/api/sessions?from={Day:yyyy-MM-dd}&limit=2");
        Assert.Equal(
            """[{"path":"/0","sessions":20},{"path":"/1","sessions":20},{"sessions":40,"other":true}]""",
            answer.Body.GetProperty("entryPages").GetRawText());
        Assert.Equal(0, answer.Body.GetProperty("medianSeconds").GetDouble());
        Assert.Equal(200, (await silo.PostForm("action=view&product=vms&fingerprint=f000")).Status);
        (await silo.Get($"/api/sessions?from={Day:yyyy-MM-dd}")).AssertRefused(422, "too_many_times");
        Assert.Equal(100, (await silo.Get($"/api/sessions?from={Day:yyyy-MM-dd}&product=k8s")).Body.GetProperty("sessions").GetInt32());
    }

    [Theory, EachStorage]
    public async Task Questions_that_cannot_be_answered_say_why(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new());
        await silo.PostForm("action=view&product=k8s&fingerprint=f");
        foreach (var (question, reason, field) in ((string, string, string)[])
        [
            ("product=", "missing_field", "product"), ("product=a%00b", "invalid_characters", "product"),
            ($"product={new string('x', 257)}", "too_long", "product"), ("product=a&product=b", "duplicate_field", "product"),
            ("from=x", "invalid_time", "from"), ("to=2026-02-30", "invalid_time", "to"),
            ("from=2026-01-02&to=2026-01-01", "empty_range", "from"), ("from=2026-01-02&to=2026-01-02", "empty_range", "from"),
            ("limit=0", "out_of_range", "limit"), ("limit=1001", "out_of_range", "limit"), ("limit=x", "out_of_range", "limit"),
        ])
            foreach (var path in (string[])["/api/sessions?", "/api/fingerprints/f/sessions?"])
            {
                var answer = await silo.Get(path + question);
                Assert.True(answer.Reason == reason, $"{path}{question}: {answer.Status} {answer.Reason}");
                answer.AssertRefused(422, reason, field);
            }
        (await silo.Get("/api/sessions?from=2026-01-01T10:00:00Z")).AssertRefused(422, "not_on_bucket", "from");
        (await silo.Get("/api/sessions?from=2020-01-01")).AssertRefused(422, "too_many_days", "from");
        (await silo.Get("/api/fingerprints/%ff/sessions")).AssertRefused(400, "malformed_path", "fingerprint");
        (await silo.Get("/api/fingerprints/nobody/sessions")).AssertRefused(404, "unknown_fingerprint", "fingerprint");
        (await silo.Get($"/api/fingerprints/{new string('x', 257)}/sessions")).AssertRefused(422, "too_long", "fingerprint");
        foreach (var nothing in (string[])
        [
            "sessions?from=0001-01-01&to=0001-01-03", "sessions?from=9999-12-01&to=9999-12-31",
            "sessions?product=" + Uri.EscapeDataString("x' or 1=1; --"),
            "fingerprints/f/sessions?to=0001-01-01T00:00:00.000001Z", "fingerprints/f/sessions?product=vms",
            "fingerprints/f/sessions?from=9999-12-31T23:59:59Z",
        ])
        {
            var answer = await silo.Get("/api/" + nothing);
            Assert.True(answer.Status == 200, $"{nothing}: {answer.Body}");
            var sessions = answer.Body.GetProperty("sessions");
            Assert.Contains(sessions.GetRawText(), (string[])["0", "[]"]);
        }
        Assert.Equal(1, (await silo.Get("/api/sessions")).Body.GetProperty("sessions").GetInt32());
    }
}
