using Orleans.Storage;
using Tally.Contracts;
using Tally.Grains;
using Tally.Tests.Harness;

namespace Tally.Tests.Storage;

/// <summary>Orleans' grain storage with this project's own table and statements.</summary>
public sealed class GrainStorage(PostgresServer server)
{
    [Theory, EachStorage]
    public async Task Of_concurrent_first_writes_one_wins_and_leaves_one_row(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new Limits { SnapshotWritesMax = 16 });
        for (var round = 0; round < 10; round++)
        {
            var grain = await Recorded(silo, $"f{round}");
            var written =
                await Task.WhenAll(
                    Enumerable.Range(1, 8).Select(total => Task.Run(() => TryWrite(silo, grain, New(total)))));
            Assert.Single(written, won => won);
            var read = await silo.Snapshots.Read(grain);
            Assert.Equal(Array.IndexOf(written, true) + 1, read.State!.Total);
            Assert.Equal([1],
                await at.Query($"select version from snapshots where grain_key = '~f{round}'", row => row.GetInt32(0)));
        }
    }

    [Theory, EachStorage]
    public async Task A_write_at_an_old_version_is_refused(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new Limits());
        var grain = await Recorded(silo, "a");
        await silo.Snapshots.Write(grain, New(1));
        var (current, old) = (await silo.Snapshots.Read(grain), await silo.Snapshots.Read(grain));
        current.State = New(2).State;
        Assert.True(await TryWrite(silo, grain, current));
        Assert.False(await TryWrite(silo, grain, old));
        current.State = New(3).State;
        Assert.True(await TryWrite(silo, grain, current)); // a write updates its own version
        Assert.Equal(3, (await silo.Snapshots.Read(grain)).State!.Total);
    }

    [Theory, EachStorage]
    public async Task A_write_at_a_version_of_a_row_that_is_gone_is_refused(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new Limits());
        var grain = await Recorded(silo, "a");
        var stored = New(1);
        await silo.Snapshots.Write(grain, stored);
        await at.Execute("delete from snapshots");
        Assert.False(await TryWrite(silo, grain, stored));
        Assert.Empty(await at.Query("select 1 from snapshots", row => row.GetInt32(0)));
    }

    [Theory, EachStorage]
    public async Task Keys_that_look_like_numbers_keep_their_own_rows(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new Limits());
        string[] fingerprints = ["00ff", "ff", "FF", "0f8fad5bd9cb469fa16570867728950e",
            "0F8FAD5BD9CB469FA16570867728950E"];
        foreach (var (i, fingerprint) in fingerprints.Index())
            await silo.Snapshots.Write(await Recorded(silo, fingerprint), New(i + 1));
        foreach (var (i, fingerprint) in fingerprints.Index())
            Assert.Equal(i + 1, (await silo.Snapshots.Read(silo.GrainId(fingerprint))).State!.Total);
    }

    // It records an event, because no snapshot is written without one.
    private static async Task<GrainId> Recorded(RunningSilo silo, string fingerprint)
    {
        Assert.Equal(RecordOutcome.Recorded, (await silo.Grain(fingerprint).Record(EventSamples.View())).Outcome);
        return silo.GrainId(fingerprint);
    }

    private static GrainState<FingerprintState> New(int total)
    {
        var writer = new FingerprintWriter("a");
        writer.Fold(writer.Decide(total));
        return new(writer.State);
    }

    private static async Task<bool> TryWrite(RunningSilo silo, GrainId grain, GrainState<FingerprintState> state)
    {
        try
        {
            await silo.Snapshots.Write(grain, state);
            return true;
        }
        catch (InconsistentStateException)
        {
            return false;
        }
    }
}
