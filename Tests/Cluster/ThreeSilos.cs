using System.Diagnostics;
using Tally.Tests.Harness;

namespace Tally.Tests.Cluster;

/// <summary>Three processes on one Postgres are one service, whichever of them comes or goes.</summary>
[Collection<Clusters>]
public sealed class ThreeSilos(PostgresServer server)
{
    private const int Fingerprints = 40;
    private const int EventsBefore = 300;

    private static readonly string[] Names = [.. Enumerable.Range(0, Fingerprints).Select(i => $"f{i}")];

    [Fact]
    public async Task Started_at_once_on_an_empty_database_each_shows_at_once_what_was_posted_to_another()
    {
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var silos = await Silos.Start(database, 3);
        foreach (var name in Names)
            for (var place = 0; place < silos.Count; place++)
            {
                Assert.Equal(place + 1, await Post(silos[place], name));
                for (var reader = 0; reader < silos.Count; reader++)
                    Assert.Equal(place + 1, await Total(silos[reader], name));
            }
        await InListsAtOnce(silos);
        await AppProcess.AssertVerifies(database);
        Assert.Equal([3L],
            await database.Query("select count(distinct port) from memberships where status = 3",
                row => row.GetInt64(0)));
    }

    // What one silo acknowledged is in another's next list, whoever merges and whenever.
    private static async Task InListsAtOnce(Silos silos)
    {
        for (var i = 1; i <= 10; i++)
        {
            Assert.Equal(i, await Post(silos[i % 3], "newest"));
            foreach (var silo in (AppProcess[])[silos[(i + 1) % 3], silos[(i + 2) % 3]])
            {
                var newest =
                    (await silo.Get("/api/fingerprints?sort=recent&limit=1")).Body.GetProperty("fingerprints")[0];
                Assert.Equal(("newest", i),
                    (newest.GetProperty("fingerprint").GetString(), newest.GetProperty("total").GetInt64()));
            }
        }
    }

    [Fact]
    public async Task A_silo_that_was_alone_gives_a_share_to_one_that_joins_and_takes_it_back_when_it_leaves()
    {
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var silos = await Silos.Start(database, 1);
        foreach (var name in Names) Assert.Equal(1, await Post(silos[0], name));
        var second = await silos.Join(Residents.Marked);
        foreach (var name in Names)
        {
            Assert.Equal(1, await Total(second, name));
            Assert.Equal(2, await Post(second, name));
            Assert.Equal(2, await Total(silos[0], name));
            Assert.Equal(1, await Post(second, "new-" + name));
            Assert.Equal(2, await Post(silos[0], "new-" + name));
        }
        var there = await Residents.Find(via: silos[0], Names.Select(name => "where-" + name));
        Assert.InRange(there.Count, 1, Names.Length - 1);
        Assert.Equal(0, await second.Terminate());
        foreach (var name in Names)
        {
            Assert.Equal(2, await Total(silos[0], "new-" + name));
            Assert.Equal(3, await Post(silos[0], "new-" + name));
        }
        Assert.DoesNotContain("Somebody else wrote after", silos[0].Output + second.Output);
        await AppProcess.AssertVerifies(database);
    }

    [Fact]
    public async Task When_one_is_killed_the_others_answer_for_its_fingerprints()
    {
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var silos = await Silos.Start(database, 3);
        foreach (var name in Names) Assert.Equal(1, await Post(silos[2], name));
        await silos[2].Kill();

        var clock = Stopwatch.StartNew();
        var took = await Task.WhenAll(Names.Select(async (name, index) =>
        {
            Assert.Equal(2, await Post(silos[index % 2], name));
            return clock.Elapsed;
        }));
        Print($"After kill -9 of one of three, the last of {Fingerprints} fingerprints took an event after {took.Max().TotalSeconds:F1} s");
        foreach (var name in Names) Assert.Equal(2, await Total(silos[0], name));
        await AppProcess.AssertVerifies(database);
    }

    [Fact]
    public async Task When_all_are_killed_they_serve_again_once_started()
    {
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var silos = await Silos.Start(database, 3);
        foreach (var name in Names) Assert.Equal(1, await Post(silos[0], name));
        await Task.WhenAll(Enumerable.Range(0, 3).Select(place => silos[place].Kill()));

        var clock = Stopwatch.StartNew();
        await silos.StartAgain();
        foreach (var name in Names) Assert.Equal(2, await Post(silos[1], name));
        Print($"After kill -9 of all and their start, every fingerprint had taken an event after {clock.Elapsed.TotalSeconds:F1} s");
        await AppProcess.AssertVerifies(database);
    }

    [Fact]
    public async Task One_that_is_told_to_stop_hands_over_and_clients_of_the_others_notice_nothing()
    {
        var seed = Seed.Next();
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var silos = await Silos.Start(database, 3);
        var load = Load.Start([silos.Ports[0], silos.Ports[1]], seed);
        await load.Acknowledges(EventsBefore);
        Assert.Equal(0, await silos[2].Terminate());
        silos[2].AssertLoggedNo("fail:");
        await load.Acknowledges(EventsBefore);
        await load.Finish();
        load.History.AssertAllAcknowledged();
        await HistoryCheck.Holds(load.History, database, silos[0]);
    }

    [Fact]
    public async Task A_fourth_that_joins_under_load_takes_its_share_and_can_go_on_alone()
    {
        var seed = Seed.Next();
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var silos = await Silos.Start(database, 3);
        var load = Load.Start(silos.Ports, seed);
        await load.Acknowledges(EventsBefore);
        var fourth = await silos.Join(Residents.Marked);
        await load.Acknowledges(EventsBefore);
        await load.Finish();
        load.History.AssertAllAcknowledged();
        await HistoryCheck.Holds(load.History, database, fourth);

        Assert.NotEmpty(await Residents.Find(via: silos[0], Names));
        Assert.All(await Task.WhenAll(Enumerable.Range(0, 3).Select(place => silos[place].Terminate())),
            code => Assert.Equal(0, code));
        await HistoryCheck.CountersHold(database, fourth);
        Assert.Equal(1, await Post(fourth, "alone"));
        await AppProcess.AssertVerifies(database);
    }

    // A refusal asks the client to retry, so this does.
    private static async Task<long> Post(AppProcess silo, string fingerprint)
    {
        var answer = default(Answer);
        await Eventually.True(async () =>
            (answer = await silo.PostForm(
                $"action=a&product=p&fingerprint={fingerprint}&id={Guid.NewGuid()}")).Status != 503,
            $"{fingerprint} is refused", seconds: 60);
        Assert.Equal(200, answer!.Status);
        return answer.Sequence;
    }

    private static async Task<long> Total(AppProcess silo, string fingerprint)
    {
        var answer = await silo.View(fingerprint);
        Assert.Equal(200, answer.Status);
        return answer.Body.GetProperty("total").GetInt64();
    }

    private static void Print(string line) => TestContext.Current.TestOutputHelper?.WriteLine(line);
}
