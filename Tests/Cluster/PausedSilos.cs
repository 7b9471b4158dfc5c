using Tally.Tests.Harness;

namespace Tally.Tests.Cluster;

/// <summary>
/// A paused process that wakes believes that no time has passed. After a short pause it goes on. After a long one its
/// fingerprints have moved: it must not answer for them, and must exit so that its supervisor restarts it.
/// </summary>
[Collection<Alone>]
public sealed class PausedSilos(PostgresServer server)
{
    private const int Stop = 19;
    private const int Continue = 18;
    private const int QuestionsEach = 4;

    private const string WaitingForSnapshots =
        "select count(*) from pg_locks where not granted and relation = 'snapshots'::regclass";

    private static readonly string[] Names = [.. Enumerable.Range(0, 30).Select(i => $"f{i}")];

    [Fact]
    public async Task One_that_was_declared_dead_answers_nothing_old_when_it_wakes_and_exits_non_zero()
    {
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var silos = await Silos.Start(database, 2);
        var zombie = await silos.Join(Residents.Marked);
        var residents = await Residents.Find(via: zombie, Names);
        Assert.NotEmpty(residents);
        var before = (await zombie.View(residents[0])).Body.GetProperty("total").GetInt64(); // from memory

        // The connections are open already, so it reads these questions first when it wakes. From memory it could
        // answer each at once.
        var questions = new List<(string Fingerprint, HttpWire Wire)>();
        for (var i = 0; i < QuestionsEach; i++)
            foreach (var fingerprint in residents) questions.Add((fingerprint, (await HttpWire.Connect(zombie.Port))!));
        foreach (var (_, wire) in questions)
            Assert.Equal(200, (await wire.Ask(HttpWire.GetOf("/health/live")))!.Status);

        zombie.Signal(Stop);
        await Task.WhenAll(residents.Select(fingerprint => Eventually.True(
            async () =>
                (await silos[0].PostForm($"action=newer&product=p&fingerprint={fingerprint}&id=newer")).Status == 200,
            $"{fingerprint} does not move.", seconds: 60)));
        foreach (var (fingerprint, wire) in questions) await wire.Send(HttpWire.GetOf(Requests.Path(fingerprint)));
        var clock = System.Diagnostics.Stopwatch.StartNew();
        zombie.Signal(Continue);

        var replies = await Task.WhenAll(questions.Select(AskUntilTheEnd));
        Assert.All(replies.SelectMany(of => of),
            reply => Assert.True(reply.Status == 503 || reply.Body.Contains($"\"total\":{before + 1},"),
            $"A stale answer: {reply.Status} {reply.Body}"));
        var exitCode = await zombie.Exit();
        Assert.NotEqual(0, exitCode);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"It exited with {exitCode} after {clock.Elapsed.TotalSeconds:F1} s; its answers: "
            + string.Join(", ",
                replies.SelectMany(of => of).CountBy(reply => reply.Status)
                    .Select(pair => $"{pair.Value} times {pair.Key}")));
        Assert.Single(await silos.DeclaredDead());
        await HistoryCheck.CountersHold(database, silos[0]);
        await AppProcess.AssertVerifies(database);
    }

    [Fact]
    public async Task One_that_stood_still_for_a_second_goes_on()
    {
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var silos = await Silos.Start(database, 2);
        var paused = await silos.Join(Residents.Marked);
        var residents = await Residents.Find(via: paused, Names);
        Assert.NotEmpty(residents);
        paused.Signal(Stop);
        await Task.Delay(TimeSpan.FromSeconds(1)); // the pause itself
        paused.Signal(Continue);

        foreach (var fingerprint in residents) // they have not moved: it still refuses them
            Assert.Equal("too_many_counters",
                (await silos[0].PostForm($"action=newer&product=p&fingerprint={fingerprint}")).Reason);
        silos.AssertAllRun();
        Assert.Empty(await silos.DeclaredDead());
        await AppProcess.AssertVerifies(database);
    }

    [Fact]
    public async Task One_that_stands_still_in_the_middle_of_an_erasure_does_not_hold_up_the_others()
    {
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var silos = await Silos.Start(database, 2);
        var stopped = await silos.Join(Residents.Marked);
        var erased = (await Residents.Find(via: stopped, Names))[0];
        Task erasing;
        await using (await database.Hold("lock table snapshots in access exclusive mode"))
        {
            // The events are deleted and all silos' appends wait, while the rest of the transaction waits for the
            // table.
            erasing = stopped.Http.DeleteAsync($"/api/fingerprints/{erased}");
            await Eventually.True(async () =>
                (await database.Query(WaitingForSnapshots, row => row.GetInt64(0))).Single() > 0, "It does not erase.");
            stopped.Signal(Stop);
        }
        foreach (var name in (string[])[erased, "another"])
            await Eventually.True(async () =>
                (await silos[0].PostForm($"action=view&product=p&fingerprint={name}&id=one")).Status == 200,
                $"{name} is held up.", seconds: 60);
        stopped.Signal(Continue);
        Assert.NotEqual(0, await stopped.Exit());
        await erasing.ContinueWith(_ => { }, TaskScheduler.Default); // whatever the answer was
        await HistoryCheck.CountersHold(database, silos[0]);
        await AppProcess.AssertVerifies(database);
    }

    [Fact]
    public async Task Half_a_minute_of_full_load_with_all_cores_busy_declares_nobody_dead()
    {
        var seed = Seed.Next();
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var silos = await Silos.Start(database, 3);
        var load = Load.Start(silos.Ports, seed, new() { IdleMillisecondsMax = 0 });
        using var busy = new CancellationTokenSource();
        KeepAllCoresBusy(busy.Token);
        await Task.Delay(TimeSpan.FromSeconds(30)); // the load's length
        await busy.CancelAsync();
        await load.Finish();
        silos.AssertAllRun();
        Assert.Empty(await silos.DeclaredDead());
        await HistoryCheck.Holds(load.History, database, silos[0]);
    }

    private static async Task<List<Reply>> AskUntilTheEnd((string Fingerprint, HttpWire Wire) question)
    {
        using var wire = question.Wire;
        var replies = new List<Reply>();
        try
        {
            replies.Add(await wire.Read());
        }
        catch (IOException)
        {
            return replies;
        }
        while (await wire.Ask(HttpWire.GetOf(Requests.Path(question.Fingerprint))) is { } reply) replies.Add(reply);
        return replies;
    }

    private static void KeepAllCoresBusy(CancellationToken until)
    {
        for (var core = 0; core < Environment.ProcessorCount; core++)
            new Thread(() => { while (!until.IsCancellationRequested) { } }) { IsBackground = true }.Start();
    }
}
