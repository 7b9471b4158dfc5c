using Tally.Grains.EventLog;
using Tally.Tests.Harness;

namespace Tally.Tests.Storage;

/// <summary>The fence needs READ COMMITTED, whatever default a role or a database has.</summary>
public sealed class IsolationLevels(PostgresServer server)
{
    // The run waits for the removal, and must then see it.
    [Theory]
    [InlineData("alter database {0} set default_transaction_isolation = 'repeatable read'")]
    [InlineData("alter database {0} set default_transaction_isolation = 'serializable'")]
    [InlineData("alter role {1} in database {0} set default_transaction_isolation = 'repeatable read'")]
    public async Task A_run_sees_the_removal_that_it_waited_for(string setting)
    {
        await using var at = await TestDatabase.Create(StorageKind.Postgres, server);
        var (name, user) =
            (await at.Query("select current_database(), current_user", row => (row.GetString(0), row.GetString(1))))[0];
        await at.Execute(string.Format(null, setting, name, user));
        await using var database = await at.OpenPrepared();
        await using var log = RunningLog.Start(database);
        var writer = new FingerprintWriter("a");
        await writer.Record(log.Commit, EventSamples.Views(2));

        Task<AppendResult> appended;
        await using (await at.Hold("select pg_advisory_xact_lock(7020303)"))
        {
            appended = log.Commit.Append(writer.Decide(1)); // its writer does not know of the removal
            await Eventually.True(async () =>
                (await at.Query("select count(*) from pg_locks where locktype = 'advisory' and not granted "
                + "and database = (select oid from pg_database where datname = current_database())",
                row => row.GetInt64(0)))[0] > 0, "The run does not wait.");
            // An operator removes events by hand, and raises the epoch, as operators must.
            await at.Execute("delete from events where fingerprint = 'a'; update removal_epoch set epoch = epoch + 1");
        }
        Assert.Equal(AppendOutcome.Fenced, (await appended).Outcome);
        Assert.Empty(await database.Storage.ReadAfter("a", 0, 10));
    }

    [Fact]
    public async Task Silos_serve_and_count_under_another_default()
    {
        await using var at = await TestDatabase.Create(StorageKind.Postgres, server);
        await at.Execute(
            $"alter database {(await at.Query("select current_database()", row => row.GetString(0)))[0]} set default_transaction_isolation = 'serializable'");
        await using var silos = await Silos.Start(at, 2);
        await Parallel.ForEachAsync(Enumerable.Range(0, 200), async (i, _) =>
        {
            var answer = default(Answer);
            await Eventually.True(async () =>
                (answer = await silos[i % 2].PostForm($"action=a&product=p&fingerprint=f{i % 7}&id={i}")).Status != 503,
                "It is refused.", seconds: 60);
            Assert.Equal(200, answer!.Status);
        });
        Assert.Equal([200L], await at.Query("select count(*) from events", row => row.GetInt64(0)));
        await AppProcess.AssertVerifies(at);
    }
}
