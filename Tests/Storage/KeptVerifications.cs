using Tally.Tests.Harness;

namespace Tally.Tests.Storage;

/// <summary>
/// What the database keeps of verifications: the same for all silos, bounded, and nobody's name for ever.
/// </summary>
public sealed class KeptVerifications(PostgresServer server)
{
    private static readonly DateTime Start = new(2026, 3, 1, 12, 0, 0, DateTimeKind.Utc);

    [Theory, EachStorage]
    public async Task Of_many_that_begin_at_once_one_runs(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var one = await at.OpenPrepared();
        await using var other = await at.OpenPrepared();
        for (var round = 0; round < 5; round++)
        {
            var begun = (await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() =>
                (i % 2 == 0 ? one : other).Storage.BeginVerification($"s{i}", Start, Start, 20))))).ToList();
            var id = Assert.Single(begun, id => id is not null)!.Value;
            var running = (await other.Storage.ReadVerifications())[0];
            Assert.Equal((id, $"s{begun.IndexOf(id)}", Start, null),
                (running.Id, running.Silo, running.Begun, running.Ended));
            Assert.True(await one.Storage.NoteVerification(running with { Ended = Start, Differences = 0 }));
        }
    }

    [Theory, EachStorage]
    public async Task One_whose_silo_fell_silent_makes_room_and_cannot_come_back(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared();
        var lost = (await database.Storage.BeginVerification("a", Start, Start, 20))!.Value;
        var state = (await database.Storage.ReadVerifications())[0] with
        {
            Seen = Start.AddSeconds(5),
            Events = 3,
            Fingerprints = 2,
            Progress = 0.25,
        };
        Assert.True(await database.Storage.NoteVerification(state));
        Assert.Null(await database.Storage.BeginVerification("b", Start.AddSeconds(9), Start.AddSeconds(5), 20));
        Assert.NotNull(await database.Storage.BeginVerification("b", Start.AddSeconds(9), Start.AddSeconds(6), 20));
        Assert.False(await database.Storage.NoteVerification(state with { Seen = Start.AddSeconds(10) }));
        var all = await database.Storage.ReadVerifications();
        Assert.Equal(["b", "a"], all.Select(one => one.Silo));
        Assert.Equivalent(state with { Ended = Start.AddSeconds(5), Reason = "silo_died" }, all[1]);
        Assert.Equal(lost, all[1].Id);
    }

    [Theory, EachStorage]
    public async Task So_many_are_kept_and_the_last_that_held(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared();
        for (var i = 0; i < 9; i++)
        {
            var id = (await database.Storage.BeginVerification($"{i}", Start, Start, 3))!.Value;
            var state = (await database.Storage.ReadVerifications())[0];
            Assert.Equal(id, state.Id);
            Assert.True(await database.Storage.NoteVerification(
                state with { Ended = Start, Differences = i < 3 ? 0 : 2, Found = i < 3 ? [] : ["one", "'; two"] }));
        }
        var kept = await database.Storage.ReadVerifications();
        Assert.Equal(["8", "7", "6", "5", "2"], kept.Select(one => one.Silo)); // the newest came after the removal
        Assert.Equal(["one", "'; two"], kept[0].Found);
        Assert.Empty(kept[^1].Found);
    }

    [Theory, EachStorage]
    public async Task Who_is_erased_is_in_no_difference_any_more(StorageKind storage)
    {
        const string Name = "o'neil % _ \\";
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared();
        await using var log = RunningLog.Start(database);
        await new FingerprintWriter(Name).Record(log.Commit, EventSamples.View());
        await database.Storage.BeginVerification("a", Start, Start, 20);
        Assert.True(await database.Storage.NoteVerification((await database.Storage.ReadVerifications())[0] with
        {
            Ended = Start,
            Differences = 3,
            Found = [$"fingerprint '{Name}': sequence 4", $"snapshot '~{Name}' cannot be read", "fingerprint 'other'"],
        }));
        Assert.NotNull(await database.Storage.Erase(Name, 1, suppress: false, 100));
        Assert.Equal(["fingerprint (erased): sequence 4", "snapshot (erased) cannot be read", "fingerprint 'other'"],
            (await database.Storage.ReadVerifications())[0].Found);
    }
}
