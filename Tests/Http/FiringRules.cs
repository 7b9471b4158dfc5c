using System.Text.Json;
using Orleans.Core.Internal;
using Tally.Contracts;
using Tally.Grains;
using Tally.Grains.Rules;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>What rules do is recorded with the events that make them do it, whatever happens meanwhile.</summary>
public sealed class FiringRules(PostgresServer server)
{
    private const string A = """{"product":"p","action":"a"}""", B = """{"product":"p","action":"b"}""";

    private static readonly Dictionary<string, string> Rules = new()
    {
        ["first"] = $$$$"""{"when":{"event":{{{{A}}}},"count":"first"},"how":"once"}""",
        ["third"] = $$$$"""{"when":{"event":{{{{A}}}},"count":{"every":3}},"how":"each"}""",
        ["quick"] = $$$$"""{"when":{"event":{{{{A}}}},"count":{"times":2,"within":"PT2M"}},"how":"each"}""",
        ["daily"] = $$$$"""{"when":{"event":{{{{A}}}},"count":{"every":2}},"how":"daily"}""",
        ["pairs"] = $$$$"""{"when":{"event":{{{{A}}}},"then":{"event":{{{{B}}}},"within":"PT5M"}},"how":"each"}""",
        ["paid"] =
            """{"when":{"event":{"product":"p","action":"a","where":[{"property":"plan","is":"pro"}]},"count":{"every":2}},"how":"each","webhook":{"url":"https://x.example"}}""",
        ["never"] = $$$$"""{"when":{"event":{{{{A}}}},"without":{"event":{{{{B}}}},"within":"PT3M"}},"how":"each"}""",
        ["once"] = $$$$"""{"when":{"event":{{{{A}}}},"without":{"event":{{{{B}}}},"within":"PT1M"}},"how":"once"}""",
    };

    [Theory, EachStorage]
    public async Task Firings_are_what_the_model_says_through_crashes_and_concurrency(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        var seed = Random.Shared.Next();
        Dictionary<string, string> environment = new()
        {
            ["Limits__RememberedEventsMax"] = "8", ["Limits__SnapshotEventsMax"] = "4",
            ["Limits__PageEventsMax"] = "5", ["Limits__ResidentFingerprintsMax"] = "4",
        };
        var begin = DateTime.UtcNow.AddHours(-30);
        for (var round = 0; round < 3; round++)
        {
            foreach (var (name, value) in AppProcess.ClusterOfItsOwn()) environment[name] = value;
            await using var app = await AppProcess.Start(at, environment);
            if (round == 0)
                foreach (var (name, rule) in Rules) Assert.Equal(201, (await app.PutRule(name, rule)).Status);
            var posts = Enumerable.Range(0, 6).Select(async writer =>
            {
                var random = new Random(seed + 10 * round + writer);
                for (var i = 0; i < 25; i++)
                    try
                    {
                        await app.PostJson(Body($"f{random.Next(5)}", random.Next(3) > 0 ? "a" : "b",
                            begin.AddMinutes(random.Next(1_700)).AddMinutes(random.Next(4)), random.Next(2) == 0));
                    }
                    catch (HttpRequestException)
                    {
                        // the process was killed; whether the event is recorded, the log says
                    }
            }).ToList();
            if (round < 2)
            {
                await posts[0]; // some are under way
                await app.Kill();
            }
            await Task.WhenAll(posts);
            if (round < 2) continue;
            await Eventually.True(async () => await Count(at, "rule_deadlines") == 0, "A deadline stays.");
            await AssertModel(app, at, seed);
        }
        Assert.Null(await AppProcess.Verify(at));
    }

    private static async Task AssertModel(AppProcess app, TestDatabase at, int seed)
    {
        var all = await ReadFirings(app);
        Assert.Equal(all.Count, all.Select(one => one.GetProperty("id").GetString()).Distinct().Count());
        var heads = (await at.Query(
            "select r.name, f.fingerprint, f.sequence, f.head from firings f join rules r on r.id = f.rule where f.head is not null",
            row => (Rule: row.GetString(0), Fingerprint: row.GetString(1), Sequence: row.GetInt64(2),
                Head: row.GetInt64(3)))).ToLookup(one => (one.Rule, one.Fingerprint));
        foreach (var fingerprint in Enumerable.Range(0, 5).Select(i => $"f{i}"))
        {
            var events = await ReadEvents(app, fingerprint);
            foreach (var (name, text) in Rules)
            {
                var rule = RuleJson.Parse(text);
                var history = events.ConvertAll(e => new RuleEvent(e.Sequence, e.Occurred,
                    e.Action == "a" && (rule.Event.Where.Count == 0 || e.IsPro), e.Action == "b" && rule.Other is not null));
                var fired = all.Where(one => one.GetProperty("rule").GetString() == name
                    && one.GetProperty("fingerprint").GetString() == fingerprint)
                    .Select(one => one.GetProperty("sequence").GetInt64()).Order().ToList();
                if (rule.Kind != RuleKind.Without)
                {
                    Assert.Equal($"{seed} {name} {string.Join(',', RuleModel.Firings(rule, history))}",
                        $"{seed} {name} {string.Join(',', fired)}");
                    continue;
                }
                // Deadlines lie in the past, so the clock may come before an event that would have been in time.
                var deadlines = RuleModel.Deadlines(rule, history);
                var clock = heads[(name, fingerprint)].ToDictionary(one => one.Sequence, one => one.Head);
                Assert.Equal(clock.Keys.Order(), fired);
                foreach (var one in clock)
                    Assert.True(deadlines.Single(deadline => deadline.Sequence == one.Key).MetBy is not { } by
                        || by > one.Value, $"seed {seed}: {name} {fingerprint} {one.Key}");
                var due = deadlines.Where(deadline => deadline.MetBy is null).Select(deadline => deadline.Sequence);
                if (rule.How == RuleFrequency.Each) Assert.Subset(fired.ToHashSet(), due.ToHashSet());
                else Assert.Equal(deadlines.Count > 0 && (due.Any() || fired.Count > 0) ? 1 : 0, fired.Count);
            }
        }
    }

    [Theory, EachStorage]
    public async Task Pages_and_filters_of_firings_add_up(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new());
        foreach (var name in (string[])["third", "paid"]) await silo.PutRule(name, Rules[name]);
        for (var i = 0; i < 24; i++)
            Assert.Equal(200, (await silo.PostJson(Body($"f{i % 2}", "a", DateTime.UtcNow, isPro: true))).Status);
        await silo.PutRule("third", Rules["third"].Replace("each", "once"));
        var all = await ReadFirings(silo);
        Assert.Equal(20, all.Count);
        Assert.Equal(all.Select(one => one.GetProperty("fired").GetDateTime()).OrderDescending(),
            all.Select(one => one.GetProperty("fired").GetDateTime()));
        foreach (var (query, count) in ((string, int)[])
                 [
                     ("rule=third", 8), ("rule=paid", 12), ("fingerprint=f0", 10), ("fingerprint=f0&rule=paid", 6),
                     ("state=recorded", 8), ("state=pending", 12), ("state=parked", 0), ("rule=other", 0),
                 ])
        {
            Assert.Equal((query, count), (query, (await ReadFirings(silo, query)).Count));
            // Their ids alone: meanwhile some are tried.
            Assert.Equal((await ReadFirings(silo, query)).Select(one => one.GetProperty("id").GetString()),
                (await ReadFirings(silo, query + "&limit=1")).Select(one => one.GetProperty("id").GetString()));
        }
        var newest = all[0];
        Assert.Equal(FiringId.Create(newest.GetProperty("rule").GetString()!, newest.GetProperty("version").GetInt32(),
            newest.GetProperty("fingerprint").GetString()!, newest.GetProperty("sequence").GetInt64()),
            newest.GetProperty("id").GetString());
        foreach (var (query, reason, field) in ((string, string, string)[])
                 [
                     ("rule=a%20b", "unknown_value", "rule"), ("rule=", "unknown_value", "rule"),
                     ("fingerprint=", "missing_field", "fingerprint"), ("state=all", "unknown_value", "state"),
                     ("limit=0", "out_of_range", "limit"), ("after=", "invalid_cursor", "after"),
                     ("after=CN9N0NxdokAAAAACAAAAAAAAAANh!", "invalid_cursor", "after"),
                     ("after=" + new string('A', 5_000), "invalid_cursor", "after"),
                     ("after=AAAAAAAAAAAAAAACAAAAAAAAAANh", "invalid_cursor", "after"),
                     ("after=_____________________ANh", "invalid_cursor", "after"),
                 ])
            (await silo.Get("/api/firings?" + query)).AssertRefused(422, reason, field);
    }

    // Before that, a fingerprint is told apart by what it may have kept from the rule that is no more.
    [Theory, EachStorage]
    public async Task A_new_version_begins_anew_and_one_that_ended_fires_no_more(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new());
        Task<Answer> Post(DateTime? occurred = null) =>
            silo.PostJson(Body("f", "a", occurred ?? DateTime.UtcNow, isPro: false));
        await Post();
        await silo.PutRule("first", Rules["first"]);
        await Post();
        await Post();
        await silo.PutRule("first", Rules["third"]);
        await Post();
        await Post();
        await silo.PutRule("first", Rules["first"]);
        await Post();
        await silo.Send(new(HttpMethod.Delete, "/api/rules/first"));
        await Post();
        Assert.Equal(["3 6", "1 2"], (await ReadFirings(silo)).Select(one =>
            $"{one.GetProperty("version").GetInt32()} {one.GetProperty("sequence").GetInt64()}"));

        await silo.PutRule("never", Rules["never"]);
        await Post();
        Assert.Equal(1, await Count(at, "rule_deadlines"));
        await silo.Send(new(HttpMethod.Delete, "/api/rules/never"));
        await at.Execute("update rule_deadlines set due = occurred");
        await Eventually.True(async () => await Count(at, "rule_deadlines") == 0, "A deadline stays.");
        Assert.Equal(2, await Count(at, "firings"));
        Assert.Null(await AppProcess.Verify(at));
    }

    [Theory, EachStorage]
    public async Task An_erased_fingerprint_leaves_no_firing_and_begins_anew(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new());
        foreach (var name in (string[])["first", "never"]) await silo.PutRule(name, Rules[name]);
        foreach (var fingerprint in (string[])["gone", "stays"])
            await silo.PostJson(Body(fingerprint, "a", DateTime.UtcNow, isPro: false));
        Assert.Equal((2, 2), (await Count(at, "firings"), await Count(at, "rule_deadlines")));
        await silo.Send(new(HttpMethod.Delete, Requests.Path("gone")));
        Assert.Equal((1, 1), (await Count(at, "firings"), await Count(at, "rule_deadlines")));
        Assert.Empty(await ReadFirings(silo, "fingerprint=gone"));
        await silo.PostJson(Body("gone", "a", DateTime.UtcNow, isPro: false));
        Assert.Single(await ReadFirings(silo, "fingerprint=gone"));
        Assert.Null(await AppProcess.Verify(at));
    }

    [Theory, EachStorage]
    public async Task Pruned_events_are_still_counted_by_rules(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at,
            new Limits { RememberedEventsMax = 8, SnapshotEventsMax = 4 });
        foreach (var name in (string[])["first", "third", "never"]) await silo.PutRule(name, Rules[name]);
        var now = DateTime.UtcNow;
        now = now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMicrosecond));
        Event At(int days) => new(Guid.NewGuid(), "a", "p", now.AddDays(-days), now.AddDays(-days), null);
        for (var days = 20; days > 9; days--)
            Assert.Equal(RecordOutcome.Recorded, (await silo.Grain("f").Record(At(days))).Outcome);
        var firings = (await ReadFirings(silo)).Count(one => one.GetProperty("rule").GetString() != "never");
        Assert.Equal(1 + 3, firings);
        // the 11th stays, or all go
        Assert.Equal(10, (await silo.Database.Storage.Prune(["f"], now.AddDays(-10), 100))!.Events);
        Assert.Null(await AppProcess.Verify(at));
        Assert.Equal(1, (await silo.Database.Storage.Prune(["f"], now, 100))!.Events);
        Assert.Null(await AppProcess.Verify(at));
        await silo.Grain("f").AsReference<IGrainManagementExtension>().DeactivateOnIdle();
        Assert.Equal(200, (await silo.PostJson(Body("f", "a", now, isPro: false))).Status);
        Assert.Equal(["12", "9", "6", "3"], (await ReadFirings(silo, "rule=third"))
            .Select(one => $"{one.GetProperty("sequence").GetInt64()}"));
        Assert.Single(await ReadFirings(silo, "rule=first"));
        Assert.Null(await AppProcess.Verify(at));
    }

    [Theory, EachStorage]
    public async Task Counting_by_another_zone_changes_no_firing(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using (var silo = await RunningSilo.Start(at, new()))
        {
            foreach (var (name, rule) in Rules) await silo.PutRule(name, rule);
            var begin = DateTime.UtcNow.Date.AddDays(-3);
            for (var i = 0; i < 30; i++)
                await silo.PostJson(Body("f", i % 4 < 3 ? "a" : "b", begin.AddMinutes(i * 60), isPro: true));
            await Eventually.True(async () => await Count(at, "rule_deadlines") == 0, "A deadline stays.");
        }
        var firings = await Count(at, "firings");
        await using var database = await at.OpenPrepared();
        Assert.NotNull(await database.Storage.Recount(Calendar.Find("Asia/Tokyo")!, 100, _ => { }));
        Assert.Null(await AppProcess.Verify(at));
        Assert.Equal(firings, await Count(at, "firings"));
    }

    [Theory, EachStorage]
    public async Task A_changed_firing_is_found(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new());
        foreach (var (name, rule) in Rules) await silo.PutRule(name, rule);
        var begin = DateTime.UtcNow.AddHours(-2);
        for (var i = 0; i < 8; i++)
            await silo.PostJson(Body("f", i % 4 < 3 ? "a" : "b", begin.AddMinutes(i), isPro: true));
        await silo.PostJson(Body("f", "a", begin.AddMinutes(60), isPro: true));
        await Eventually.True(async () => await Count(at, "rule_deadlines") == 0, "A deadline stays.");
        await silo.PostJson(Body("f", "a", DateTime.UtcNow, isPro: true));
        Assert.Equal(1, await Count(at, "rule_deadlines where rule = (select id from rules where name = 'never')"));
        Assert.Null(await AppProcess.Verify(at));

        static string Of(string rule) => $"rule = (select id from rules where name = '{rule}')";
        await Finds("delete from firings where " + Of("third") + " and sequence = 3",
            "firing of rule third, version 1, for event 3 of 'f': missing");
        await Finds("insert into firings (rule, fingerprint, sequence, occurred, state) select rule, fingerprint, "
            + "sequence + 1, occurred, state from firings where " + Of("first"), "for event 2 of 'f': stored, the log says none");
        await Finds("update firings set sequence = 2 where " + Of("first"), "for event 2 of 'f': stored, the log says none");
        await Finds("update firings set fingerprint = 'g' where " + Of("first"), "for event 1 of 'g': stored, the log says none");
        await Finds("update firings set fingerprint = 'a' where " + Of("first"), "of 'f': missing");
        await Finds("update firings set occurred = (select max(occurred) from events) where " + Of("first"),
            "firing of rule first, version 1, for event 1 of 'f': stored as recorded");
        await Finds("update firings set state = 'delivered' where " + Of("first"), "stored as delivered");
        await Finds("update firings set state = 'recorded' where " + Of("paid"), "stored as recorded");
        await Finds("update firings set head = 1 where " + Of("first"), "with the head 1");
        await Finds("update firings set head = 99 where " + Of("never"), "with the head 99");
        await Finds("update firings set head = null where " + Of("never"), "with the head of none");
        await Finds("delete from firings where " + Of("never"), "deadline or firing of rule never, version 1, for event 9");
        await Finds("delete from firings where " + Of("once"), "deadline or firing of rule once");
        await Finds("delete from rule_deadlines where " + Of("never"), "deadline or firing of rule never, version 1, for event 10");
        await Finds("update rule_deadlines set due = (select min(due) from rule_deadlines where "
            + Of("once") + ") where " + Of("never"), "deadline of rule never, version 1, for event 10 of 'f': stored for");
        await Finds("update rule_deadlines set sequence = 4 where " + Of("never"), "for event 4 of 'f': stored, the log says none");
        await Finds("update events set matched = null where sequence = 2", "event 2 of 'f': what it matches");
        await Finds("update events set matched = 'x' where sequence = 2", "event 2 of 'f': what it matches");
        await Finds("update events set rules = null, matched = null where sequence = 5", "decided by rules older");
        await Finds("update events set rules = 1 where sequence = 5", "decided by rules older");
        await Finds("update events set rules = 999 where sequence = 5", "event 5 of 'f': what it matches");

        async Task Finds(string damage, string finding)
        {
            foreach (var table in (string[])["events", "firings", "rule_deadlines"])
                await at.Execute($"create table kept_{table} as select * from {table}");
            await at.Execute(damage);
            Assert.Contains(finding, await AppProcess.Verify(at) ?? $"nothing, after {damage}");
            foreach (var table in (string[])["events", "firings", "rule_deadlines"])
                await at.Execute($"delete from {table}; insert into {table} select * from kept_{table}; drop table kept_{table}");
        }
    }

    private static string Body(string fingerprint, string action, DateTime occurred, bool isPro) =>
        $$$"""{"product":"p","action":"{{{action}}}","fingerprint":"{{{fingerprint}}}","timestamp":"{{{occurred:yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'}}}","properties":{"plan":"{{{(isPro ? "pro" : "free")}}}","long":"{{{new string('x', isPro ? 1_100 : 1)}}}"}}""";

    private static async Task<List<JsonElement>> ReadFirings(IServing app, string query = "")
    {
        var all = new List<JsonElement>();
        for (var after = ""; ;)
        {
            var page = await app.Get($"/api/firings?{query}{after}");
            Assert.Equal(200, page.Status);
            all.AddRange(page.Body.GetProperty("firings").EnumerateArray());
            if (page.Text("next") is not { } next) return all;
            after = "&after=" + next;
        }
    }

    private static async Task<List<(long Sequence, string Action, DateTime Occurred, bool IsPro)>> ReadEvents(
        IServing app, string fingerprint)
    {
        var all = new List<(long, string, DateTime, bool)>();
        while (true)
        {
            var page = await app.Get($"{Requests.Path(fingerprint)}/events?after={all.LastOrDefault().Item1}&limit=5");
            if (page.Status != 200 || page.Body.GetProperty("events").GetArrayLength() == 0) return all;
            foreach (var e in page.Body.GetProperty("events").EnumerateArray())
                all.Add((e.GetProperty("sequence").GetInt64(), e.GetProperty("action").GetString()!,
                    e.GetProperty("occurred").GetDateTime(),
                    e.GetProperty("properties").GetProperty("plan").GetString() == "pro"));
        }
    }

    private static async Task<long> Count(TestDatabase at, string rows) =>
        (await at.Query("select count(*) from " + rows, row => row.GetInt64(0)))[0];
}
