using Tally.Grains.EventLog;
using Tally.Grains.Rules;
using Tally.Silo.Storage;
using Tally.Tests.Harness;

namespace Tally.Tests.Storage;

/// <summary>Rules for what nobody does, by a clock that the test sets.</summary>
public sealed class FiringSilences(PostgresServer server)
{
    private static readonly DateTime Begin = EventSamples.Noon.AddSeconds(20);
    private static readonly TimeSpan Length = TimeSpan.FromMinutes(3);

    private static RuleDefinition Rule(RuleFrequency how = RuleFrequency.Each, string action = "view",
        RuleWebhook? webhook = null) =>
        new(new("k8s", action, []), RuleKind.Silence, 0, Length, null, how, webhook);

    [Theory, EachStorage]
    public async Task Each_one_fires_once_whoever_looks_and_whatever_is_merged(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared();
        await using var other = await at.OpenPrepared();
        await using var log = RunningLog.Start(database);
        var random = new Random(Seed.Next());
        await Put(database, "each", Rule());
        await Put(database, "once", Rule(RuleFrequency.Once));
        await Put(database, "daily", Rule(RuleFrequency.Daily));
        await Put(other, "others", Rule(action: "buy"));
        var writer = new FingerprintWriter("a");
        var minutes = new List<DateTime>();
        var now = Begin;
        for (var i = 0; i < 60; i++, now = now.AddMinutes(1))
        {
            if (random.Next(5) == 0)
            {
                await writer.Record(log.Commit, EventSamples.View(occurred: now), EventSamples.View(occurred: now),
                    EventSamples.View(product: "vm", action: "buy", occurred: now));
                minutes.Add(RollupKey.MinuteOf(now));
            }
            if (random.Next(3) == 0) await database.Storage.MergeRollups(100);
            await Task.WhenAll(database.Storage.FireDue(now, 100), other.Storage.FireDue(now, 100));
        }

        var expected = Silence.FindAll(minutes, Begin, now.AddMinutes(-1), Length).Select(one => one.Since).ToList();
        Assert.NotEmpty(expected);
        Assert.Equal(expected, await Fired(database, "each"));
        Assert.Equal(expected[..1], await Fired(database, "once"));
        Assert.Equal(expected[..1], await Fired(database, "daily"));
        Assert.Equal([RollupKey.MinuteOf(Begin)], await Fired(database, "others"));
        Assert.Equal([4L], await at.Query("select count(*) from rule_deadlines", row => row.GetInt64(0)));
        await RunningLog.AssertProven(database);
    }

    [Theory, EachStorage]
    public async Task A_clock_that_was_away_fires_once_and_one_of_a_rule_that_ended_never(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared();
        await Put(database, "each", Rule());
        await Put(database, "ended", Rule());
        await database.Storage.DeleteRule("ended", Begin);
        var due = Silence.DueAt(RollupKey.MinuteOf(Begin), Length);
        Assert.Equal(0, await database.Storage.FireDue(due.AddTicks(-10), 100));
        Assert.Equal(2, await database.Storage.FireDue(Begin.AddDays(9), 100)); // and drops one
        Assert.Equal(1, await database.Storage.FireDue(Begin.AddDays(10), 100));
        Assert.Equal([RollupKey.MinuteOf(Begin)], await Fired(database, "each"));
        Assert.Empty(await Fired(database, "ended"));

        await Put(database, "each", Rule(RuleFrequency.Once)); // begins anew
        await database.Storage.FireDue(Begin.AddDays(11), 100);
        Assert.Equal(2, (await Fired(database, "each")).Count);
    }

    // A silo that has not read the rules since does not take a new one for one that has ended.
    [Theory, EachStorage]
    public async Task A_rule_that_another_silo_made_is_known_to_whoever_looks(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared();
        await using var other = await at.OpenPrepared();
        await Put(database, "each", Rule());
        Assert.Equal(1, await other.Storage.FireDue(Begin.AddDays(1), 100));
        Assert.Single(await Fired(database, "each"));
    }

    [Theory, EachStorage]
    public async Task It_is_told_to_a_webhook_and_shown_without_a_fingerprint(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new());
        await using var receiver = await WebhookReceiver.Start();
        var rule = $$$"""{"when":{"event":{"product":"k8s","action":"buy"},"silence":{"within":"PT1M"}},"webhook":{"url":"{{{receiver.Url}}}","ordered":true}}""";
        Assert.Equal(201, (await silo.PutRule("quiet", rule)).Status);
        await silo.PutWebhookRule("bought", receiver.Url);
        await silo.Buy("ada");
        await silo.HasFirings("bought", "delivered");
        await silo.Database.Storage.FireDue(DateTime.UtcNow.AddMinutes(3), 100);

        var fired = Assert.Single(await silo.HasFirings("quiet", "delivered"));
        Assert.False(fired.TryGetProperty("fingerprint", out _));
        Assert.False(fired.TryGetProperty("sequence", out _));
        var got = receiver.All[^1];
        Assert.Equal(fired.GetProperty("id").GetString(), got.Id);
        Assert.Equal(["id", "rule", "version", "occurred"], got.Data.EnumerateObject().Select(member => member.Name));

        // a page may end with it
        var page = (await silo.Get("/api/firings?limit=1")).Body;
        Assert.Equal("quiet", page.GetProperty("firings")[0].GetProperty("rule").GetString());
        page = (await silo.Get("/api/firings?limit=1&after=" + page.GetProperty("next").GetString())).Body;
        Assert.Equal("bought", page.GetProperty("firings")[0].GetProperty("rule").GetString());
        Assert.Equal(200, (await silo.PostEmpty("/api/firings/replay?rule=quiet&state=delivered")).Status);
        await receiver.Has(3);
        Assert.Equal(got.Id, receiver.All[^1].Id);
        Assert.Null(await AppProcess.Verify(at));
    }

    private static async Task Put(Database database, string name, RuleDefinition rule) =>
        Assert.Equal(RuleChange.Changed, (await database.Storage.PutRule(name, rule, Begin, 50, 1_000)).Change);

    private static async Task<IReadOnlyList<DateTime>> Fired(Database database, string rule) =>
        [.. (await database.Storage.ReadFirings(FiringPlace.Beginning, rule, null, null, 1_000, CancellationToken.None))
            .Select(one => one.Occurred).Order()];
}
