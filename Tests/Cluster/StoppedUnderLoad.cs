using Tally.Contracts;
using Tally.Silo.Storage;
using Tally.Tests.Harness;

namespace Tally.Tests.Cluster;

/// <summary>
/// On SIGTERM readiness fails, incoming requests are answered, due snapshots are written, and the exit code is 0.
/// </summary>
public sealed class StoppedUnderLoad(PostgresServer server)
{
    private const int EventsBefore = 500;

    [Theory, EachStorage]
    public async Task Clients_that_leave_when_told_get_an_answer_to_everything_they_sent(StorageKind storage)
    {
        var seed = Seed.Next();
        await using var database = await TestDatabase.Create(storage, server);
        await using (var app = await AppProcess.Start(database, Draining(seconds: 5)))
        {
            var load = Load.Start([app.Port], seed, new() { LeavesWhenTold = true, IdleMillisecondsMax = 50 });
            await Reached(load, EventsBefore);
            Assert.Equal(0, await app.Terminate());
            await Eventually.True(() => Task.FromResult(load.IsOver), "A client was never told to leave.", seconds: 5);

            Assert.True(load.History.All.Count == load.History.Acknowledged, $"Not all were answered: {load.History}");
            await HistoryCheck.LogHolds(load.History, database);
            Assert.Equal(0, await HistoryCheck.CountRecordedButUnanswered(load.History, database));
            await AssertDueSnapshotsAreWritten(database);
            app.AssertLoggedNo("fail:");
            app.AssertLoggedNo("warn:");
        }
        await using var again = await AppProcess.Start(database);
        await HistoryCheck.CountersHold(database, again);
        await AppProcess.AssertVerifies(database);
    }

    // As with any HTTP/1.1 server, they may find a connection closed while they send. Then the server did not take the
    // event: what it took, it answered.
    [Theory, EachStorage]
    public async Task Clients_that_stay_to_the_end_get_an_answer_to_all_that_was_recorded(StorageKind storage)
    {
        var seed = Seed.Next();
        await using var database = await TestDatabase.Create(storage, server);
        await using var app = await AppProcess.Start(database, Draining(seconds: 0.2));
        var load = Load.Start([app.Port], seed, new() { Clients = 48, IdleMillisecondsMax = 0 });
        await Reached(load, EventsBefore);
        Assert.Equal(0, await app.Terminate());
        await load.Abandon();

        await HistoryCheck.LogHolds(load.History, database);
        Assert.Equal(0, await HistoryCheck.CountRecordedButUnanswered(load.History, database));
        Assert.Equal(0, load.History.Count(AttemptOutcome.Refused));
        await AssertDueSnapshotsAreWritten(database);
        await AppProcess.AssertVerifies(database);
    }

    [Fact]
    public async Task While_draining_it_is_not_ready_and_answers_kept_and_new_connections_one_last_time()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database, Draining(seconds: 6));
        using var kept = (await HttpWire.Connect(app.Port))!;
        Assert.False((await kept.Ask(HttpWire.PostOf("action=a&product=p&fingerprint=f")))!.Closes);

        var stopped = app.Terminate();
        await Eventually.True(async () =>
        {
            using var fresh = await HttpWire.Connect(app.Port);
            Assert.True(fresh is not null, "It listens no more.");
            var ready = (await fresh.Ask(HttpWire.GetOf("/health/ready")))!;
            return ready is { Status: 503, Closes: true } && ready.Body.Contains("draining");
        }, "Readiness does not say that it drains.", seconds: 5);
        var last = (await kept.Ask(HttpWire.PostOf("action=a&product=p&fingerprint=f")))!;
        Assert.Equal((200, true), (last.Status, last.Closes));
        Assert.Null(await kept.Ask(HttpWire.GetOf("/health/live")));
        Assert.Equal(0, await stopped);
    }

    [Theory, EachStorage]
    public async Task A_request_whose_body_is_still_coming_when_the_listener_closes_finds_the_silo_running(
        StorageKind storage)
    {
        await using var database = await TestDatabase.Create(storage, server);
        await using var app = await AppProcess.Start(database, Draining(seconds: 0.2));
        var request = HttpWire.PostOf("action=late&product=p&fingerprint=new");
        using var slow = (await HttpWire.Connect(app.Port))!;
        await slow.Send(request[..^10]);
        using (var other = (await HttpWire.Connect(app.Port))!)
            await other.Ask(HttpWire.GetOf("/health/live")); // so the connection before it has been accepted too

        var stopped = app.Terminate();
        await Eventually.True(async () =>
        {
            using var probe = await HttpWire.Connect(app.Port);
            return probe is null;
        }, "The listener stays open.");
        await slow.Send(request[^10..]);
        var reply = await slow.Read();
        Assert.Equal((200, true), (reply.Status, reply.Closes));
        Assert.Equal(0, await stopped);
        Assert.Equal(["late"], await database.Query("select action from events", row => row.GetString(0)));
    }

    private static Dictionary<string, string> Draining(double seconds) =>
        new() { ["Limits__DrainMilliseconds"] = $"{seconds * 1000:F0}" };

    private static Task Reached(Load load, int acknowledged) => Eventually.True(
        () => Task.FromResult(load.History.Acknowledged >= acknowledged),
        $"Fewer than {acknowledged} events acknowledged.");

    // A grain has written its snapshot only if it was deactivated cleanly while its storage was still open.
    private static async Task AssertDueSnapshotsAreWritten(TestDatabase test)
    {
        await using var database = await test.OpenPrepared();
        await using var audit = await database.Storage.OpenAudit(CancellationToken.None);
        var snapshots = await audit.States(CancellationToken.None).ToDictionaryAsync(
            snapshot => FingerprintKey.Fingerprint(snapshot.GrainKey),
            snapshot => StoredStates.Deserialize(snapshot.Payload).Sequence);
        var heads = await test.Query("select fingerprint, max(sequence) from events group by fingerprint",
            row => (Fingerprint: row.GetString(0), Head: row.GetInt64(1)));
        var due = new Limits().SnapshotOnDeactivationEventsMin;
        Assert.Contains(heads, head => head.Head >= due);
        Assert.DoesNotContain(heads, head => head.Head - snapshots.GetValueOrDefault(head.Fingerprint) >= due);
        Assert.DoesNotContain(heads, head => head.Head < due && snapshots.ContainsKey(head.Fingerprint));
    }
}
