using Tally.Contracts;
using Tally.Grains.EventLog;
using Tally.Silo.Storage;
using Tally.Tests.Harness;

namespace Tally.Tests.Storage;

/// <summary>A proof finds every change to what is stored.</summary>
public sealed class Proofs(PostgresServer server)
{
    // Damage to a sound database, and part of what a proof must then report.
    private static readonly (string Damage, string Finding)[] Damages =
    [
        ("delete from events where fingerprint = 'a' and sequence = 3", "fingerprint 'a': sequence 4 follows 2"),
        ("delete from events where fingerprint = 'a' and sequence = 1", "fingerprint 'a': sequence 2 follows 0"),
        ("delete from events where fingerprint = 'a' and sequence = 12",
            "snapshot of 'a' is at sequence 12, its log ends at 11"),
        ("delete from events where fingerprint = 'a'", "snapshot of 'a' is at sequence 12, its log ends at 0"),
        ("delete from events where fingerprint = 'one'", "rollup 2026-03-01T12:00Z k8s view: stored"),
        ("update events set action = 'buy' where fingerprint = 'a' and sequence = 3",
            "snapshot of 'a' at sequence 12 is not the fold"),
        ("update events set action = 'buy' where fingerprint = 'one'", "rollup 2026-03-01T12:00Z k8s view: stored"),
        ("update events set action = 'new' where fingerprint = 'one'", "rollup 2026-03-01T12:00Z k8s new: missing"),
        ("update events set fingerprint = 'two' where fingerprint = 'one'",
            "visit of 'one' to k8s on 2026-03-01: stored 1 events"),
        ("update events set fingerprint = 'zwei' where fingerprint = 'one'",
            "visit of 'zwei' to k8s on 2026-03-01: missing, the log says 1 events"),
        ("update visits set events = events + 1 where fingerprint = 'a'",
            "visit of 'a' to k8s on 2026-03-01: stored 13 events"),
        ("update visits set first_seen = last_seen, last_seen = '2026-03-01T12:00:00.000001Z' where fingerprint = 'other'", "visit of 'other' to k8s on 2026-03-01: stored 12"),
        ("update visits set first_seen = '2026-03-01T11:59:59.999999Z' where fingerprint = 'other'",
            "visit of 'other' to k8s on 2026-03-01: stored 12"),
        ("update visits set day = '2026-03-02' where fingerprint = 'a'",
            "visit of 'a' to k8s on 2026-03-02: stored 12"),
        ("update visits set product = 'vm' where fingerprint = 'a'", "visit of 'a' to vm on 2026-03-01: stored 12"),
        ("update visits set fingerprint = '0' where fingerprint = 'a'", "visit of '0' to k8s on 2026-03-01: stored 12"),
        ("update visits set fingerprint = 'zzz' where fingerprint = 'a'",
            "visit of 'zzz' to k8s on 2026-03-01: stored 12"),
        ("delete from visits where fingerprint = 'a'", "visit of 'a' to k8s on 2026-03-01: missing"),
        ("delete from visits where fingerprint = 'other'", "visit of 'other' to k8s on 2026-03-01: missing"),
        ("update rollups set events = events + 1 where action = 'view'", "k8s view: stored"),
        ("update rollups set new_fingerprints = new_fingerprints + 1 where action = 'view'", "k8s view: stored"),
        ("update rollups set new_product_fingerprints = new_product_fingerprints + 1 where action = 'view'",
            "k8s view: stored"),
        ("update rollups set daily_fingerprints = daily_fingerprints + 1 where action = 'view'", "k8s view: stored"),
        ("update rollups set daily_product_fingerprints = daily_product_fingerprints + 1 where action = 'view'",
            "k8s view: stored"),
        ("delete from rollups where action = 'view'", "k8s view: missing"),
        ("update rollups set product = 'vm' where action = 'view'", "vm view: stored"),
        ("insert into rollup_deltas (minute, hour, day, product, action, events, new_fingerprints, new_product_fingerprints, daily_fingerprints, "
            + "daily_product_fingerprints) select minute, minute, '2026-03-01', product, action, 1, 0, 0, 0, 0 from rollups where action = 'view'", "k8s view: stored"),
        ("update rollup_hours set events = events + 1 where action = 'view'",
            "rollup of the hour 2026-03-01T12:00Z k8s view: stored"),
        ("update rollup_hours set daily_fingerprints = daily_fingerprints - 1 where action = 'view'",
            "rollup of the hour 2026-03-01T12:00Z k8s view: stored"),
        ("update rollup_hours set day = '2026-03-02' where action = 'view'",
            "rollup of the hour 2026-03-01T12:00Z k8s view: stored on 2026-03-02"),
        ("delete from rollup_hours where action = 'open'", "rollup of the hour 2026-03-01T12:00Z k8s open: missing"),
        ("update rollup_hours set product = 'vm' where action = 'view'",
            "rollup of the hour 2026-03-01T12:00Z vm view: stored"),
        ("update counters set events = events + 1 where action = 'view'", "counter k8s view: stored"),
        (Replace("~a", by: "~other"), "snapshot of 'a' at sequence 12 is not the fold"),
        (Replace("~a", by: "~long"), "snapshot of 'a' is at sequence 16, its log ends at 12"),
        (Rename("~a", "~0"), "snapshot of '0' is at sequence 12, its log ends at 0"),
        (Rename("~a", "~b"), "snapshot of 'b' is at sequence 12, its log ends at 0"),
        (Rename("~a", "~zzz"), "snapshot of 'zzz' is at sequence 12, its log ends at 0"),
        ("update snapshots set payload = (select cast('broken' as bytes)) where grain_key = '~a'",
            "snapshot '~a' cannot be read"),
        ("delete from snapshots", ""), // a snapshot may be lost
        ("delete from visits where fingerprint = 'pruned'", "visits of 'pruned' do not add up"),
        ("update visits set events = events + 1 where fingerprint = 'pruned'", "visits of 'pruned' do not add up"),
        ("update visits set product = 'vm' where fingerprint = 'pruned'",
            "visit of 'pruned' to vm on 2026-03-01: stored"),
        ("delete from removed_rollups", "k8s gone: stored"),
        ("update removed_rollups set events = events + 1", "k8s gone: stored"),
        ("delete from pruned", "fingerprint 'pruned': sequence 4 follows 0"),
        ("update pruned set state = (select cast('broken' as bytes))", "what was pruned of '~pruned' cannot be read"),
        ("update pruned set state = (select payload from snapshots where grain_key = '~a')",
            "fingerprint 'pruned': sequence 4 follows 12"),
        ("update dimension_values set events = events + 1 where value = 'free'",
            "plan 'free' of k8s on 2026-03-01: stored"),
        ("update dimension_values set fingerprints = fingerprints - 1 where value = 'free'",
            "plan 'free' of k8s on 2026-03-01: stored"),
        ("update dimension_values set removed_events = removed_events + 1 where value = 'free'", "plan 'free' of k8s"),
        ("update dimension_values set value = 'pro' where value = 'free'",
            "plan 'free' of k8s on 2026-03-01 of 'counted': missing"),
        ("update dimension_values set day = '2026-03-02' where value = 'free'",
            "plan 'free' of k8s on 2026-03-02: stored"),
        ("delete from dimension_values where value = 'free'", "plan 'free' of k8s on 2026-03-01 of 'counted': missing"),
        ("delete from dimension_visits where fingerprint = 'counted'",
            "plan 'free' of k8s on 2026-03-01 of 'counted': missing"),
        ("update dimension_visits set fingerprint = 'other' where fingerprint = 'counted'",
            "plan 'free' of k8s on 2026-03-01 of 'other': stored, the log says none"),
        ("update dimension_visits set fingerprint = 'nobody' where fingerprint = 'counted'",
            "plan 'free' of k8s on 2026-03-01 of 'nobody': stored, the log says none"),
        ("update events set properties = '{\"plan\":\"pro\"}' where fingerprint = 'counted'",
            "plan 'pro' of k8s on 2026-03-01 of 'counted': missing"),
        ("update events set dimensions = null where fingerprint = 'counted'",
            "plan 'free' of k8s on 2026-03-01 of 'counted': stored, the log says none"),
        ("delete from events where fingerprint = 'pruned' and sequence = 4",
            "fingerprint 'pruned': sequence 5 follows 3"),
    ];

    [Theory, EachStorage]
    public async Task A_proof_finds_every_damage(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await Fill(at);
        await using var database = await at.OpenPrepared();
        await using (var log = RunningLog.Start(database))
        {
            await new FingerprintWriter("pruned").Record(log.Commit,
                Enumerable.Range(0, 5).Select(_ => EventSamples.View(action: "gone")));
            await database.Storage.CountBy(["plan"], 10);
            await new FingerprintWriter("counted").Record(log.Commit,
                EventSamples.View() with { Properties = """{"plan":"free"}""" });
        }
        Assert.Equal(new Pruned(3, true), await database.Storage.Prune(["pruned"], DateTime.MaxValue, 3));
        while (await database.Storage.MergeRollups(1_000) > 0) { }
        while (await database.Storage.MergeVisits(1_000) > 0) { }
        while (await database.Storage.MergeDimensions(1_000) > 0) { }
        string[] tables = ["events", "rollups", "rollup_hours", "visits", "snapshots", "removed_rollups", "pruned",
            "dimension_visits"];
        await at.Execute("create table sound_counters as select * from counters");
        await at.Execute("create table sound_values as select * from dimension_values");
        foreach (var table in tables) await at.Execute($"create table sound_{table} as select * from {table}");
        Assert.Empty((await Prove(database)).Found);

        foreach (var (damage, finding) in Damages)
        {
            await at.Execute(damage.Replace("as bytes", storage == StorageKind.Sqlite ? "as blob" : "as bytea"));
            var (differences, found) = await Prove(database);
            Assert.True((finding.Length == 0) == (differences == 0), $"{damage}: {differences} differences");
            Assert.True(finding.Length == 0 || found.Exists(line => line.Contains(finding)),
                $"{damage}: {string.Join("; ", found)}");

            await at.Execute("delete from rollup_deltas");
            await at.Execute(
                "update counters set events = (select sound.events from sound_counters as sound where sound.id = counters.id)");
            await at.Execute("delete from dimension_values; insert into dimension_values "
                + (storage == StorageKind.Sqlite ? "" : "overriding system value ") + "select * from sound_values");
            foreach (var table in tables)
                await at.Execute($"delete from {table}; insert into {table} select * from sound_{table}");
        }
        Assert.Empty((await Prove(database)).Found);
    }

    [Theory, EachStorage]
    public async Task App_verify_says_what_differs_and_exits_1(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await Fill(at);
        var (exitCode, output, _) = await AppProcess.Run(["verify", "-dbUrl", at.Url]);
        Assert.Equal((0, "41 events of 4 fingerprints, 3 snapshots, 3 rollups, 4 visits, 0 values of dimensions: all equal\n"),
            (exitCode, output));

        await at.Execute("update events set action = 'buy' where fingerprint = 'one'");
        (exitCode, output, _) = await AppProcess.Run(["verify", "-dbUrl", at.Url]);
        Assert.Equal(1, exitCode);
        Assert.Contains("rollup 2026-03-01T12:00Z k8s view: stored", output);
        Assert.EndsWith("differences\n", output);
    }

    [Theory, EachStorage]
    public async Task A_large_log_is_proven_beside_a_busy_writer(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared();
        await using var log = RunningLog.Start(database);
        for (var i = 0; i < 4; i++)
            await new FingerprintWriter($"early-{i}").Record(log.Commit, EventSamples.Views(1_000));
        await using var audit = await database.Storage.OpenAudit(CancellationToken.None);
        await using var events = audit.Events(CancellationToken.None).GetAsyncEnumerator();
        Assert.True(await events.MoveNextAsync());
        await new FingerprintWriter("late").Record(log.Commit, EventSamples.Views(10)); // does not wait for the proof
        var seen = 1;
        while (await events.MoveNextAsync()) seen++;
        Assert.Equal(4_000, seen); // as of when the audit was opened
    }

    [Theory, EachStorage]
    public async Task A_proof_knows_how_far_it_has_come(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared();
        await using (var log = RunningLog.Start(database))
            for (var i = 0; i < 4; i++)
                await new FingerprintWriter($"f{i}").Record(log.Commit, EventSamples.Views(500));
        while (await database.Storage.MergeRollups(1_000) > 0) { } // counters, not deltas
        Assert.NotNull(await database.Storage.Prune(["f0"], DateTime.MaxValue, 499)); // as if it had been shorter
        await using var audit = await database.Storage.OpenAudit(CancellationToken.None);
        var rests = new List<(long, double)>();
        Proof? proof = null;
        proof = new(audit, StoredStates.Deserialize, Assert.Fail, () =>
        {
            rests.Add((proof!.Events, proof.Progress));
            return default;
        });
        Assert.Equal(0, proof.Progress);
        await proof.Run(CancellationToken.None);
        Assert.Equal([(500, 500 / 1501.0), (1_000, 1_000 / 1501.0), (1_500, 1_500 / 1501.0)], rests);
        Assert.Equal(1, proof.Progress);
    }

    [Theory, EachStorage]
    public async Task A_proof_that_is_canceled_ends_at_once(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared();
        await using (var log = RunningLog.Start(database))
            for (var i = 0; i < 4; i++)
                await new FingerprintWriter($"f{i}").Record(log.Commit, EventSamples.Views(1_000));
        using var ending = new CancellationTokenSource();
        await using (var audit = await database.Storage.OpenAudit(ending.Token))
        {
            var proof = new Proof(audit, StoredStates.Deserialize, Assert.Fail, () => new(ending.CancelAsync()));
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => proof.Run(ending.Token));
            Assert.InRange(proof.Events, Proof.EventsBetweenRests, 2_000); // what the driver had read already
        }
        Assert.Empty((await Prove(database)).Found);
    }

    private static string Replace(string key, string by) =>
        $"update snapshots set payload = (select payload from snapshots where grain_key = '{by}') where grain_key = '{key}'";

    private static string Rename(string key, string to) =>
        $"update snapshots set grain_key = '{to}' where grain_key = '{key}'";

    // Three fingerprints with a snapshot, one without; three rollups.
    private static async Task Fill(TestDatabase at)
    {
        // Snapshots only at the end, so that each stands at its fingerprint's last event.
        await using var silo =
            await RunningSilo.Start(at, new Limits { SnapshotEventsMax = 1_000, SnapshotOnDeactivationEventsMin = 2 });
        foreach (var (fingerprint, action, count) in ((string, string, int)[])[("a", "view", 12), ("other", "buy", 12),
            ("long", "view", 16), ("one", "view", 1)])
            for (var i = 0; i < count; i++)
                Assert.Equal(RecordOutcome.Recorded, (await silo.Grain(fingerprint).Record(EventSamples.View(
                    action: i == 5 ? "open" : action, occurred: EventSamples.Noon))).Outcome);
    }

    private static async Task<(long Differences, List<string> Found)> Prove(Database database)
    {
        await using var audit = await database.Storage.OpenAudit(CancellationToken.None);
        var found = new List<string>();
        var proof = new Proof(audit, StoredStates.Deserialize, found.Add);
        await proof.Run(CancellationToken.None);
        Assert.Equal(proof.Differences, found.Count);
        return (proof.Differences, found);
    }
}
