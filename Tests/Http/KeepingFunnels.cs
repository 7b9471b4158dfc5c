using Tally.Silo.Storage;
using Tally.Tests.Harness;
using Calendar = Tally.Grains.Calendar;

namespace Tally.Tests.Http;

/// <summary>Funnels that are kept by name say what a scan of the log says, whatever happened and when.</summary>
public sealed class KeepingFunnels(PostgresServer server)
{
    private const string Week = "from=2026-03-02&to=2026-03-09";

    private static readonly string[] Names = ["a", "b", "c", "d"];
    private static readonly DateTime Monday = new(2026, 3, 2, 12, 0, 0, DateTimeKind.Utc);

    // Around days on which clocks are set, where there are any.
    public static TheoryData<StorageKind, string, string> All => new(
        from storage in Enum.GetValues<StorageKind>()
        from zone in (string[])["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]
        select (storage, zone, zone switch
        {
            "America/New_York" => "2025-11-02",
            "Australia/Lord_Howe" => "2025-04-06",
            _ => "2025-03-30",
        }));

    [Theory, MemberData(nameof(All))]
    public async Task A_kept_funnel_answers_as_a_scan_does(StorageKind storage, string zone, string date)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new() { FoldChangesMax = 3, MergeVisitBatchesMax = 2 },
            dimensions: ["path"], calendar: Calendar.Find(zone)!);
        var (random, day) = (new Random(Seed.Next()), DateTime.SpecifyKind(DateTime.Parse(date), DateTimeKind.Utc));
        var kept = new Dictionary<string, FunnelModel>();
        var fingerprints = new HashSet<string>();
        var furthest = 0;
        for (var round = 0; round < 12; round++)
        {
            if (random.Next(2) == 0 || round == 0)
            {
                var (name, model) = (Names[random.Next(Names.Length)], FunnelModel.Draw(random, day));
                kept[name] = model;
                await Keep(silo, name, model);
            }
            if (random.Next(8) == 0 && kept.Count > 1)
            {
                var name = kept.Keys.First();
                kept.Remove(name);
                Assert.Equal(200, (await silo.Send(new(HttpMethod.Delete, Path(name)))).Status);
                (await silo.Get(Path(name))).AssertRefused(404, "unknown_funnel", "name");
            }
            var batch = Enumerable.Range(0, 12).Select(i => FunnelEvent.Draw(random, 100 * round + i, day)).ToList();
            await Post(silo, batch);
            fingerprints.UnionWith(batch.Select(one => one.Fingerprint));
            if (random.Next(4) == 0)
            {
                var erased = fingerprints.ElementAt(random.Next(fingerprints.Count));
                Assert.Equal(200, (await silo.Send(new(HttpMethod.Delete, Requests.Path(erased)))).Status);
            }
            for (var i = random.Next(8); i > 0; i--) await silo.Database.Storage.FillFunnel(2);
            foreach (var (name, model) in kept) furthest += await AssertEqual(silo, name, model, day, random);
        }
        await WaitUntilFilled(silo);
        foreach (var (name, model) in kept)
            for (var i = 0; i < 6; i++) await AssertEqual(silo, name, model, day, random);
        Assert.True(furthest > 0, "Nobody got further than the first step.");
        await AppProcess.AssertVerifies(at);
    }

    // Of a range as dates; the same as the scan says.
    private static async Task<int> AssertEqual(
        IServing silo, string name, FunnelModel model, DateTime day, Random random)
    {
        var from = day.AddDays(random.Next(-5, 4));
        var range = $"from={from:yyyy-MM-dd}&to={from.AddDays(random.Next(1, 8)):yyyy-MM-dd}";
        var (kept, scan) = (await silo.Get(Path(name) + "?" + range),
            await silo.Get($"/api/funnel?{Definition(model)}&{range}"));
        Assert.Equal((200, 200), (kept.Status, scan.Status));
        Assert.Equal($"{scan.Body}", $"{kept.Body}");
        return kept.Body.GetProperty("steps")[1].GetProperty("fingerprints").GetInt32();
    }

    private static string Path(string name) => "/api/funnels/" + name;

    private static string Definition(FunnelModel model) =>
        $"steps={Uri.EscapeDataString(string.Join(',', model.Steps))}&within={model.Within.TotalMinutes}m"
        + (model.Product is null ? "" : "&product=" + model.Product);

    private static Task<Answer> Keep(IServing silo, string name, FunnelModel model) =>
        Keep(silo, name, Definition(model));

    private static async Task<Answer> Keep(IServing silo, string name, string definition)
    {
        var answer = await silo.Send(new(HttpMethod.Put, $"{Path(name)}?{definition}"));
        Assert.Equal(200, answer.Status);
        return answer;
    }

    private static async Task Post(IServing silo, IEnumerable<FunnelEvent> events) => Assert.Equal(200,
        (await silo.Post(System.Text.Encoding.UTF8.GetBytes($"[{string.Join(',', events.Select(one => one.ToJson()))}]"),
            "application/json", path: Requests.BatchPath + "?history=true")).Status);

    private static Task WaitUntilFilled(IServing silo) => Eventually.True(async () =>
        (await silo.Get("/api/funnels")).Body.GetProperty("funnels").EnumerateArray()
            .All(funnel => funnel.GetProperty("filled").GetBoolean()), "A funnel is not filled.");

    private static FunnelEvent Event(int number, string fingerprint, string action, int minute, string product = "k8s") =>
        new(number, fingerprint, product, action, Monday.AddMinutes(minute), null, null);

    private static async Task<string> Reach(IServing silo, string question)
    {
        var answer = await silo.Get(question);
        Assert.Equal(200, answer.Status);
        return string.Join(' ', answer.Body.GetProperty("steps").EnumerateArray()
            .Select(step => step.GetProperty("fingerprints")));
    }

    [Theory, EachStorage]
    public async Task It_answers_without_the_log_once_it_is_filled(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new());
        await Post(silo, [Event(1, "before", "view", 0), Event(2, "before", "buy", 9), Event(3, "other", "buy", 1)]);
        await silo.Database.Storage.MergeVisits(10);
        var first = await Keep(silo, "way", "steps=view,buy&within=24h");
        Assert.Equal("""{"name":"way","steps":["view","buy"],"within":"1d","filled":false}""", $"{first.Body}");
        Assert.Equal("1 1", await Reach(silo, Path("way") + "?" + Week)); // of the log
        await WaitUntilFilled(silo);
        var again = await Keep(silo, "way", "steps=view,buy&within=1d"); // the same
        Assert.Equal("""{"name":"way","steps":["view","buy"],"within":"1d","filled":true}""", $"{again.Body}");
        Assert.Equal($$"""{"funnels":[{{again.Body}}]}""", $"{(await silo.Get("/api/funnels")).Body}");

        await Post(silo, [Event(4, "after", "view", 3), Event(5, "late", "view", -60 * 24 * 20 + 1), Event(6, "after", "buy", 2)]);
        Assert.Equal("2 1", await Reach(silo, Path("way") + "?" + Week));
        await at.Execute("delete from events"); // nothing that it reads
        Assert.Equal("2 1", await Reach(silo, Path("way") + "?" + Week));
        Assert.Equal("3 1", await Reach(silo, Path("way") + "?from=2026-02-01&to=2026-03-03"));
        Assert.Equal("0 0", await Reach(silo, "/api/funnel?steps=view,buy&" + Week));
    }

    [Theory, EachStorage]
    public async Task Another_funnel_of_the_same_name_replaces_it_and_what_it_had_goes(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new() { FunnelsMax = 2 });
        await Post(silo, Enumerable.Range(0, 20).SelectMany(i => (FunnelEvent[])
            [Event(2 * i, $"f{i}", "view", i), Event(2 * i + 1, $"f{i}", i < 5 ? "buy" : "leave", i + 1, i < 2 ? "vms" : "k8s")]));
        await Keep(silo, "way", "steps=view,buy");
        await WaitUntilFilled(silo);
        Assert.Equal([20L], await Rows(at));
        Assert.Equal("20 5", await Reach(silo, Path("way") + "?" + Week));
        foreach (var (definition, expected) in ((string, string)[])
                 [("steps=view,leave", "20 15"), ("steps=view,buy&product=k8s", "20 3"), ("steps=view,buy&within=1m", "20 5")])
        {
            await Keep(silo, "way", definition);
            Assert.Equal(expected, await Reach(silo, Path("way") + "?" + Week));
            await WaitUntilFilled(silo);
            Assert.Equal(expected, await Reach(silo, Path("way") + "?" + Week));
        }
        await Keep(silo, "second", "steps=buy,view");
        (await silo.Send(new(HttpMethod.Put, Path("third") + "?steps=a,b"))).AssertRefused(422, "too_many_funnels");
        await Keep(silo, "second", "steps=leave,view"); // may still be changed
        foreach (var name in (string[])["way", "second"])
            Assert.Equal(name, (await silo.Send(new(HttpMethod.Delete, Path(name)))).Text("name"));
        (await silo.Send(new(HttpMethod.Delete, Path("way")))).AssertRefused(404, "unknown_funnel", "name");
        Assert.Equal("""{"funnels":[]}""", $"{(await silo.Get("/api/funnels")).Body}");
        await Eventually.True(async () => (await Rows(at))[0] == 0 && !await silo.Database.Storage.HasFunnels(),
            "Something is left of a funnel.");
    }

    private static Task<List<long>> Rows(TestDatabase at, string table = "funnel_visits") =>
        at.Query($"select count(*) from {table}", row => row.GetInt64(0));

    [Theory, EachStorage]
    public async Task Without_a_funnel_of_the_product_a_merge_notes_nothing(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared(); // nobody folds
        var log = database.Storage;
        await using var writing = RunningLog.Start(database);
        var writer = new FingerprintWriter("f");
        async Task<List<long>> RecordAndCount()
        {
            await writer.Record(writing.Commit, EventSamples.View(product: "k8s"), EventSamples.View(product: "k8s"));
            Assert.Equal(1, await log.MergeVisits(10));
            return await Rows(at, "funnel_changes");
        }

        Assert.Equal([0L], await RecordAndCount());
        FunnelStep[] steps = [new("view", "view", []), new("buy", "buy", [])];
        await log.PutFunnel(new("of-another", steps, "vms", TimeSpan.FromDays(1)), 9);
        Assert.Equal([0L], await RecordAndCount());
        await log.PutFunnel(new("of-it", steps, "k8s", TimeSpan.FromDays(1)), 9);
        Assert.Equal([1L], await RecordAndCount());
        Assert.Equal([2L], await RecordAndCount());
        Assert.Equal(2, await log.FoldFunnels(10));
        Assert.Equal([0L], await Rows(at, "funnel_changes"));
        Assert.Equal([1L], await Rows(at));
        await log.DeleteFunnel("of-it");
        Assert.Equal([0L], await RecordAndCount());
    }

    [Theory, EachStorage]
    public async Task Pruned_events_stay_in_it_and_erased_fingerprints_do_not(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new());
        await Keep(silo, "way", "steps=view,buy,sell");
        foreach (var name in (string[])["pruned-9b1c", "erased-7f2a"])
            await Post(silo, [Event(1, name, "view", 0), Event(2, name, "buy", 10), Event(3, name, "view", 60 * 24)]);
        Assert.Equal("2 2 0", await Reach(silo, Path("way") + "?" + Week));
        await WaitUntilFilled(silo);
        Assert.Equal(6, (await silo.Database.Storage.Prune(["erased-7f2a", "pruned-9b1c"], DateTime.MaxValue, 5))?.Events);
        Assert.Equal("0 0 0", await Reach(silo, "/api/funnel?steps=view,buy,sell&" + Week));
        Assert.Equal("2 2 0", await Reach(silo, Path("way") + "?" + Week));

        // It counts with its events in the log, if it gets further with them.
        await Post(silo, [Event(4, "pruned-9b1c", "view", 1)]);
        Assert.Equal("2 2 0", await Reach(silo, Path("way") + "?" + Week));
        await Post(silo, [Event(5, "pruned-9b1c", "buy", 5), Event(6, "pruned-9b1c", "sell", 6)]);
        Assert.Equal("2 2 1", await Reach(silo, Path("way") + "?" + Week));

        Assert.Equal(200, (await silo.Send(new(HttpMethod.Delete, Requests.Path("erased-7f2a")))).Status);
        Assert.Equal("1 1 1", await Reach(silo, Path("way") + "?" + Week));
        Assert.Equal(["pruned-9b1c"], await at.Query(
            "select fingerprint from funnel_visits union select fingerprint from funnel_changes",
            row => row.GetString(0)));
        if (storage == StorageKind.Sqlite) Assert.DoesNotContain("erased-7f2a", await at.Dump());
    }

    [Theory, EachStorage]
    public async Task A_fill_goes_on_where_a_killed_process_was(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        var slowly = new Dictionary<string, string>(AppProcess.ClusterOfItsOwn()) { ["Limits__FoldChangesMax"] = "1" };
        await using (var app = await AppProcess.Start(at, slowly))
        {
            await Post(app, Enumerable.Range(0, 400).SelectMany(i => (FunnelEvent[])
                [Event(2 * i, $"f{i:000}", "view", i), Event(2 * i + 1, $"f{i:000}", "buy", 2 * i)]));
            await Eventually.True(async () => (await Rows(at, "visit_deltas"))[0] == 0, "Not all is merged.");
            await Keep(app, "way", "steps=view,buy");
            await Eventually.True(async () => (await Rows(at))[0] > 5, "Nothing is filled.");
            await app.Kill();
        }
        var filled = (await Rows(at))[0];
        Assert.InRange(filled, 5, 399);
        var place = (await at.Query("select filled_to from funnels", row => row.GetString(0)))[0];
        Assert.Equal($"f{filled - 1:000}", place);
        await using var again = await AppProcess.Start(at, AppProcess.ClusterOfItsOwn());
        Assert.Equal("400 400", await Reach(again, Path("way") + "?" + Week));
        await WaitUntilFilled(again);
        Assert.Equal("400 400", await Reach(again, Path("way") + "?" + Week));
        Assert.Equal([400L], await Rows(at));
    }

    // What is merged meanwhile would neither be noted nor be in the log when the past is read.
    [Fact]
    public async Task It_is_kept_between_two_merges()
    {
        await using var at = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var database = await at.OpenPrepared();
        Task keeping;
        await using (await at.Hold("select pg_advisory_xact_lock(7020302)")) // the merge's
        {
            FunnelStep[] steps = [new("view", "view", []), new("buy", "buy", [])];
            keeping = database.Storage.PutFunnel(new("way", steps, null, TimeSpan.FromDays(1)), 9);
            await Eventually.True(async () => (await at.Query(
                "select count(*) from pg_locks where locktype = 'advisory' and not granted",
                row => row.GetInt64(0)))[0] > 0, "It does not wait for the merge.");
            Assert.False(keeping.IsCompleted);
        }
        await keeping;
        Assert.Single(await database.Storage.ReadFunnels());
    }

    [Fact]
    public async Task Two_silos_fold_the_same_funnels()
    {
        await using var at = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var silos = await Silos.Start(at, 2, new() { ["Limits__FoldChangesMax"] = "7" });
        var (random, day) = (new Random(Seed.Next()), Monday.Date);
        var models = Names.ToDictionary(name => name, _ => FunnelModel.Draw(random, day));
        var posting = Enumerable.Range(0, 2).Select(async silo =>
        {
            var own = new Random(random.Next());
            for (var round = 0; round < 20; round++)
                await Post(silos[silo], Enumerable.Range(1_000 * silo + 20 * round, 20)
                    .Select(number => FunnelEvent.Draw(own, number, day)));
        }).ToList();
        foreach (var (name, model) in models)
        {
            await Task.WhenAll(Keep(silos[0], name, model), Keep(silos[1], name, model));
            await Reach(silos[1], Path(name) + "?" + Week);
        }
        await Task.WhenAll(posting);
        foreach (var (name, model) in models)
            for (var i = 0; i < 4; i++) await AssertEqual(silos[i % 2], name, model, day, random);
        await WaitUntilFilled(silos[0]);
        for (var i = 0; i < 5; i++)
        {
            await Post(silos[0], [FunnelEvent.Draw(random, 9_000 + i, day)]); // at once in the other's answers
            foreach (var (name, model) in models) await AssertEqual(silos[1], name, model, day, random);
        }
        Assert.Equal([(long)Names.Length], await Rows(at, "funnels"));
        await AppProcess.AssertVerifies(at);
    }

    [Theory, EachStorage]
    public async Task A_recounted_database_has_the_funnels_of_its_zone(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        var (random, day) = (new Random(Seed.Next()), Monday.Date);
        var model = FunnelModel.Draw(random, day);
        await using (var app = await AppProcess.Start(at))
        {
            await Keep(app, "way", model);
            await Post(app, Enumerable.Range(0, 120).Select(i => FunnelEvent.Draw(random, i, day)));
            await WaitUntilFilled(app);
            Assert.Equal(0, await app.Terminate());
        }
        Assert.Equal(0, (await AppProcess.Run(["rezone", "Asia/Kathmandu", "-dbUrl", at.Url])).ExitCode);
        await using var again = await AppProcess.Start(at, new() { ["APP_TIME_ZONE"] = "Asia/Kathmandu" });
        for (var i = 0; i < 10; i++)
        {
            if (i == 5) await WaitUntilFilled(again);
            await AssertEqual(again, "way", model, day, random);
        }
    }

    [Theory, EachStorage]
    public async Task What_cannot_be_kept_is_refused(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new() { MedianTimesMax = 3 }, dimensions: ["path"]);
        foreach (var (name, query, reason, field) in ((string, string, string, string)[])
                 [
                     ("way", "", "missing_field", "steps"), ("way", "?steps=view", "invalid_steps", "steps"),
                     ("way", "?steps=view,a%00b", "invalid_characters", "steps"),
                     ("way", "?steps=a,b,c,d,e,f,g,h,i", "invalid_steps", "steps"),
                     ("way", $"?steps=view,{new string('x', 257)}", "too_long", "steps"),
                     ("way", "?steps=view,buy&product=", "missing_field", "product"),
                     ("way", "?steps=view,buy&within=91d", "unknown_value", "within"),
                     ("way", "?steps=view,buy&breakdown=path", "unknown_parameter", "breakdown"),
                     ("way", "?steps=view,buy&name=x", "unknown_parameter", "name"),
                     ("way", "?steps=view,buy&steps=a,b", "duplicate_field", "steps"),
                     ("a.b", "?steps=view,buy", "unknown_value", "name"), ("a%2Fb", "?steps=view,buy", "unknown_value", "name"),
                     ("%20", "?steps=view,buy", "unknown_value", "name"), ("caf%C3%A9", "?steps=view,buy", "unknown_value", "name"),
                     ("a'%20or%201=1;--", "?steps=view,buy", "unknown_value", "name"),
                     (new('x', 65), "?steps=view,buy", "unknown_value", "name"),
                     (new('x', 5_000), "?steps=view,buy", "unknown_value", "name"),
                 ])
        {
            var answer = await silo.Send(new(HttpMethod.Put, Path(name) + query));
            Assert.True(answer.Reason == reason, $"{name}{query}: {answer.Status} {answer.Reason}");
            answer.AssertRefused(422, reason, field);
        }
        Assert.Equal("""{"funnels":[]}""", $"{(await silo.Get("/api/funnels")).Body}");
        foreach (var method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Delete])
            (await silo.Send(new(method, Path("a%2Fb")))).AssertRefused(422, "unknown_value", "name");
        foreach (var odd in (string[])
                 [
                     "steps=" + Uri.EscapeDataString("view,x' or 1=1; drop table events; --"),
                     $"steps=view[__proto__=1,$x=%00],view[{new string('n', 3_000)}={new string('v', 3_000)}]",
                     "steps=a,b,c,d,e,f,g,h&within=129600m", "steps=%F0%9F%98%80,%5C%2C",
                 ])
        {
            await Keep(silo, new('x', 64), odd);
            Assert.StartsWith("0 0", await Reach(silo, Path(new('x', 64))));
        }

        await Post(silo, Enumerable.Range(0, 4).Select(i => Event(i, $"f{i / 2}", i % 2 == 0 ? "view" : "buy", i)));
        await Keep(silo, "way", "steps=view,buy");
        foreach (var (query, reason, field) in ((string, string, string?)[])
                 [
                     ("from=x", "invalid_time", "from"), ("to=2026-01-01T10:00:00Z", "not_on_bucket", "to"),
                     ("from=2026-01-02&to=2026-01-01", "empty_range", "from"), ("from=2020-01-01", "too_many_days", "from"),
                     ("steps=view,buy", "unknown_parameter", "steps"), (Week, "too_many_times", null),
                 ])
            (await silo.Get(Path("way") + "?" + query)).AssertRefused(422, reason, field);
        await WaitUntilFilled(silo);
        (await silo.Get(Path("way") + "?" + Week)).AssertRefused(422, "too_many_times");
        foreach (var end in (string[])["from=0001-01-01&to=0001-01-02", "from=9999-12-01&to=9999-12-31"])
            Assert.Equal("0 0", await Reach(silo, Path("way") + "?" + end));
        (await silo.Get(Path("nothing"))).AssertRefused(404, "unknown_funnel", "name");
    }
}
