using System.Text.Json;
using Tally.Tests.Harness;

namespace Tally.Tests.Cluster;

/// <summary>What the silos of a cluster say of themselves, through each of them.</summary>
[Collection<Clusters>]
public sealed class TheClusterAnswer(PostgresServer server)
{
    private const int Fingerprints = 60;

    // A busy machine is no reason to be shown without figures.
    private static readonly Dictionary<string, string> Patient =
        new() { ["Limits__SiloAnswerMillisecondsMax"] = "30000" };

    private static readonly string[] Names = [.. Enumerable.Range(0, Fingerprints).Select(i => $"f{i}")];

    [Fact]
    public async Task Each_silo_tells_what_each_says_of_itself_and_who_owns_a_fingerprint()
    {
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var silos = await Silos.Start(database, 3, Patient);
        foreach (var name in Names) Assert.Equal(200, (await Post(silos[0], name)).Status);
        Assert.True((await silos[0].PostForm("action=a&product=p&fingerprint=f0&id=once")).Sequence > 0);
        Assert.True((await silos[0].PostForm("action=a&product=p&fingerprint=f0&id=once")).Duplicate);
        Assert.Equal(422, (await silos[0].PostForm("action=a&product=p")).Status);

        string? all = null;
        foreach (var through in Enumerable.Range(0, 3))
        {
            var answer = await Ask(silos[through]);
            var told = answer.GetProperty("silos").EnumerateArray().ToList();
            Assert.Equal(["active", "active", "active"], told.Select(StateOf));
            Assert.All(told, silo => Assert.True(silo.GetProperty("answers").GetBoolean()));
            Assert.All(told, silo => Assert.InRange(silo.GetProperty("started").GetDateTime(),
                DateTime.UtcNow.AddMinutes(-5), DateTime.UtcNow));
            Assert.Equal(Fingerprints, told.Sum(silo => Figure(silo, "fingerprints")));
            Assert.Equal(1, told.Sum(silo => Figure(silo, "repeated")));
            Assert.Equal(1, told.Sum(silo => silo.GetProperty("figures").GetProperty("refused")
                .TryGetProperty("missing_field", out var refused) ? refused.GetInt64() : 0));
            // it came to one silo, which had about two thirds for others
            Assert.InRange(told.Max(silo => silo.GetProperty("figures").TryGetProperty("remoteShare", out var share)
                ? share.GetDouble() : 0), 0.4, 0.9);
            foreach (var silo in told)
            {
                var figures = silo.GetProperty("figures");
                Assert.Matches(@"^\d+\.\d+\.\d+( \([0-9a-f]{7}\))?$", figures.GetProperty("version").GetString());
                var pool = Assert.Single(figures.GetProperty("pools").EnumerateArray(),
                    pool => pool.GetProperty("name").GetString() == "events");
                Assert.Equal(16, pool.GetProperty("max").GetInt32());
                Assert.InRange(pool.GetProperty("used").GetInt32() + pool.GetProperty("idle").GetInt32(), 1, 16);
                Assert.InRange(figures.GetProperty("commitP50Milliseconds").GetDouble(), 0.01,
                    figures.GetProperty("commitP99Milliseconds").GetDouble());
                Assert.Equal(0, figures.GetProperty("commitQueue").GetInt32());
            }
            var stored = answer.GetProperty("database");
            Assert.Equal(("Postgres", Fingerprints + 1),
                (stored.GetProperty("kind").GetString(), stored.GetProperty("events").GetInt64()));
            Assert.NotEqual("", stored.GetProperty("version").GetString());
            Assert.InRange(stored.GetProperty("bytes").GetInt64(), 1_000_000, 100_000_000);

            var names = string.Join(' ', told.Select(AddressOf));
            Assert.Equal(all ??= names, names);
        }
        Assert.Equal(3, (await OwnersThrough(silos[0])).Distinct().Count());
        foreach (var through in (int[])[1, 2])
            Assert.Equal(await OwnersThrough(silos[0]), await OwnersThrough(silos[through]));
    }

    [Fact]
    public async Task Events_a_second_are_those_of_the_last_ten()
    {
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var silos = await Silos.Start(database, 2, Patient);
        foreach (var name in Names) Assert.Equal(200, (await Post(silos[0], name)).Status);
        var rates = new List<double>();
        await Eventually.True(async () =>
        {
            rates.Add((await Ask(silos[1])).GetProperty("silos").EnumerateArray()
                .Sum(silo => silo.GetProperty("figures").GetProperty("eventsPerSecond").GetDouble()));
            return rates[^1] == 0 && rates.Max() > 0;
        }, () => $"They are not counted, or for ever: {string.Join(' ', rates)}");
        Assert.InRange(rates.Max(), 0.1, 6.01); // 60 in ten seconds
    }

    [Fact]
    public async Task One_that_is_paused_does_not_answer_and_one_that_is_killed_is_dead()
    {
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var silos = await Silos.Start(database, 3);
        foreach (var name in Names) Assert.Equal(200, (await Post(silos[0], name)).Status);
        silos[2].Signal(19);
        List<JsonElement> paused = [];
        await Eventually.True(async () => (paused = [.. (await Ask(silos[0])).GetProperty("silos").EnumerateArray()])
            .Count(Answers) == 2, "The others do not answer.");
        var silent = Assert.Single(paused, silo => !Answers(silo));
        Assert.Equal("active", StateOf(silent)); // not declared dead yet
        Assert.False(silent.TryGetProperty("figures", out _));
        silos[2].Signal(18);
        await silos[2].Kill();

        await Eventually.True(async () => (await Ask(silos[1])).GetProperty("silos").EnumerateArray()
            .Select(StateOf).SequenceEqual(["active", "active", "dead"]), "it is not dead", seconds: 60);
        var dead = (await Ask(silos[1])).GetProperty("silos")[2];
        Assert.Equal(AddressOf(silent), AddressOf(dead));
        Assert.InRange(dead.GetProperty("lastSeen").GetDateTime(), DateTime.UtcNow.AddMinutes(-2), DateTime.UtcNow);
        Assert.False(dead.TryGetProperty("answers", out _));
        Assert.DoesNotContain(AddressOf(dead), await OwnersThrough(silos[1]));

        Assert.Equal(0, await silos[1].Terminate());
        Assert.Equal(["active"], (await Ask(silos[0])).GetProperty("silos").EnumerateArray()
            .Select(StateOf).Where(state => state != "dead"));
    }

    [Fact]
    public async Task A_verification_is_seen_through_every_silo_and_survives_no_death()
    {
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var silos =
            await Silos.Start(database, 3, new() { ["Limits__VerificationEventsPerSecondMax"] = "500" });
        for (var i = 0; i < 10; i++)
            Assert.Equal(1_000, (await silos[i % 3].PostBatch(JsonSerializer.Serialize(Enumerable.Range(0, 1_000)
                .Select(_ => new { action = "a", product = "p", fingerprint = Names[i] })))).Batch.Recorded);
        var begun = await Task.WhenAll(Enumerable.Range(0, 3).Select(place => Begin(silos[place])));
        var place = begun.ToList().FindIndex(answer => answer.Status == 202);
        Assert.Equal(2, begun.Count(answer => answer.Status == 200));
        var id = Assert.Single(begun.Select(answer => answer.Body.GetProperty("id").GetInt64()).Distinct());
        var (one, other) = (silos[(place + 1) % 3], silos[(place + 2) % 3]);
        foreach (var silo in (AppProcess[])[one, other])
            await Eventually.True(async () => await Verifications(silo) is var all
                && all.TryGetProperty("running", out var running) && running.GetProperty("id").GetInt64() == id
                && running.GetProperty("progress").GetDouble() > 0, "it is not seen");
        await silos[place].Kill();

        await Eventually.True(async () => !(await Verifications(one)).TryGetProperty("running", out _),
            "it blocks for ever", seconds: 60);
        var ended = (await Verifications(other)).GetProperty("ended")[0];
        Assert.Equal((id, "silo_died"),
            (ended.GetProperty("id").GetInt64(), ended.GetProperty("reason").GetString()));
        Assert.Equal(202, (await Begin(other)).Status);
        await Eventually.True(async () => (await Verifications(one)).TryGetProperty("lastHeld", out _),
            "the next one does not hold");
    }

    private static async Task<List<string>> OwnersThrough(AppProcess silo)
    {
        var owners = new List<string>();
        foreach (var name in Names)
            owners.Add((await silo.Get("/api/cluster?fingerprint=" + name)).Body.GetProperty("owner")
                .GetProperty("address").GetString()!);
        return owners;
    }

    private static async Task<JsonElement> Ask(AppProcess silo)
    {
        var answer = await silo.Get("/api/cluster");
        Assert.Equal(200, answer.Status);
        return answer.Body;
    }

    private static Task<Answer> Begin(AppProcess silo) => silo.Send(new(HttpMethod.Post, "/api/verifications"));

    private static async Task<JsonElement> Verifications(AppProcess silo) =>
        (await silo.Get("/api/verifications")).Body;

    private static Task<Answer> Post(AppProcess silo, string fingerprint) =>
        silo.PostForm($"action=a&product=p&fingerprint={fingerprint}");

    private static string StateOf(JsonElement silo) => silo.GetProperty("state").GetString()!;

    private static string AddressOf(JsonElement silo) => silo.GetProperty("address").GetString()!;

    private static bool Answers(JsonElement silo) =>
        silo.TryGetProperty("answers", out var answers) && answers.GetBoolean();

    private static long Figure(JsonElement silo, string name) =>
        silo.GetProperty("figures").GetProperty(name).GetInt64();
}
