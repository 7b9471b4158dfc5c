using Tally.Silo.Settings;
using Tally.Silo.Storage;
using Tally.Tests.Harness;

namespace Tally.Tests.Storage;

public sealed class Migrating(PostgresServer server)
{
    private static IEnumerable<string> Known(StorageKind storage) =>
        new SqlScripts($"{storage}/Migrations").Names.Order();

    [Theory, EachStorage]
    public async Task Eight_at_once_on_an_empty_database_apply_each_migration_once(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        var databases = Enumerable.Range(0, 8).Select(_ => Database.For(DatabaseUrl.Parse(at.Url), new())).ToList();
        var applied =
            await Task.WhenAll(databases.Select(database => Task.Run(() => database.Prepare(CancellationToken.None))));
        Assert.Equal(Known(storage), applied.SelectMany(names => names).Order());
        await using (var log = RunningLog.Start(databases[0])) await new FingerprintWriter("a").Record(log.Commit,
            EventSamples.View());

        foreach (var database in databases)
        {
            Assert.Empty(await database.Prepare(CancellationToken.None));
            await database.DisposeAsync();
        }
        Assert.Equal([1L], await at.Query("select count(*) from events", row => row.GetInt64(0)));
    }

    [Theory, EachStorage]
    public async Task A_database_with_a_migration_that_the_program_does_not_know_is_refused_and_left_alone(
        StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using (await at.OpenPrepared()) { }
        await at.Execute("insert into migrations (scriptname, applied) values ('0999_future', '2030-01-01 00:00:00')");
        await at.Execute(DropOrleans(storage));
        await using var database = Database.For(DatabaseUrl.Parse(at.Url), new());
        var refused = await Assert.ThrowsAsync<StartupException>(() => database.Prepare(CancellationToken.None));
        Assert.StartsWith("The database has migration 0999_future, which this version of app does not know: ",
            refused.Message);
        Assert.Equal(["0001_baseline", "0999_future"],
            await at.Query("select scriptname from migrations order by 1", row => row.GetString(0)));

        var (exitCode, _, error) = await AppProcess.Run(["migrate", "-dbUrl", at.Url]);
        Assert.Equal((1, $"app: {refused.Message}\n"), (exitCode, error));
    }

    [Theory, EachStorage]
    public async Task A_database_that_a_later_version_has_migrated_is_served_as_long_as_it_says_so(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using (await at.OpenPrepared()) { }
        await at.Execute(LaterVersion.OnlyAdds);
        await using (var database = Database.For(DatabaseUrl.Parse(at.Url), new()))
        {
            Assert.Empty(await database.Prepare(CancellationToken.None));
            await using var log = RunningLog.Start(database);
            await new FingerprintWriter("a").Record(log.Commit, EventSamples.View());
        }
        Assert.Equal([1L], await at.Query("select count(*) from events", row => row.GetInt64(0)));

        await at.Execute(LaterVersion.DropsTheOld);
        await using var refusing = Database.For(DatabaseUrl.Parse(at.Url), new());
        var refused = await Assert.ThrowsAsync<StartupException>(() => refusing.Prepare(CancellationToken.None));
        Assert.StartsWith("The database has migration 0998_added, which", refused.Message);
    }

    // Databases from before the first release have this schema.
    [Theory, EachStorage]
    public async Task A_database_of_the_unreleased_schema_is_refused_and_left_alone(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using (await at.OpenPrepared()) { }
        await at.Execute("drop table removed_rollups; delete from migrations");
        await at.Execute(
            "insert into migrations (scriptname, applied) values ('0001_event_log', '2026-01-01 00:00:00')");
        await using var database = Database.For(DatabaseUrl.Parse(at.Url), new());
        var refused = await Assert.ThrowsAsync<StartupException>(() => database.Prepare(CancellationToken.None));
        Assert.StartsWith("The database has migration 0001_event_log, which", refused.Message);
        Assert.Equal(["0001_event_log"], await at.Query("select scriptname from migrations", row => row.GetString(0)));
    }

    [Theory, EachStorage]
    public async Task A_migration_that_fails_leaves_nothing_of_itself(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using (await at.OpenPrepared()) { }
        // The second migration makes orleansquery, then finds the next table taken.
        await at.Execute(DropOrleans(storage) + "; create table snapshots (a integer)");
        await using var database = Database.For(DatabaseUrl.Parse(at.Url), new());
        var failed = await Assert.ThrowsAsync<StartupException>(() => database.Prepare(CancellationToken.None));
        Assert.Contains("0002_orleans", failed.Message);
        Assert.Equal(["0001_baseline"], await at.Query("select scriptname from migrations", row => row.GetString(0)));

        await at.Execute("drop table snapshots"); // orleansquery must not be there, or the next try fails
        Assert.Equal(["0002_orleans"], await database.Prepare(CancellationToken.None));
    }

    // Undoes the second migration.
    private static string DropOrleans(StorageKind storage) =>
        "delete from migrations where scriptname = '0002_orleans'; drop table orleansquery; drop table snapshots"
        + (storage == StorageKind.Postgres ? "; drop table memberships; drop table membership_versions" : "");

    [Theory]
    [InlineData("alter database {0} set synchronous_commit = off")]
    [InlineData("alter role tally in database {0} set synchronous_commit = off")]
    public async Task Postgres_without_synchronous_commit_is_refused(string setting)
    {
        await using var at = await TestDatabase.Create(StorageKind.Postgres, server);
        var name = (await at.Query("select current_database(), current_user",
            row => (Database: row.GetString(0), User: row.GetString(1))))[0];
        await at.Execute(setting.Replace("{0}", name.Database).Replace("role tally", $"role {name.User}"));
        await using var database = Database.For(DatabaseUrl.Parse(at.Url), new());
        var refused = await Assert.ThrowsAsync<StartupException>(() => database.Prepare(CancellationToken.None));
        Assert.Contains("synchronous_commit off", refused.Message);
        Assert.Equal([0L],
            await at.Query("select count(*) from pg_tables where schemaname = 'public'", row => row.GetInt64(0)));
    }

    [Fact]
    public async Task A_sqlite_file_serves_one_process()
    {
        await using var at = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var second = Database.For(DatabaseUrl.Parse(at.Url), new());
        await using (var first = await at.OpenPrepared())
        {
            first.Claim();
            Assert.Contains("in use by another process", Assert.Throws<StartupException>(second.Claim).Message);
        }
        second.Claim(); // the first is gone
    }

    [Theory, EachStorage]
    public async Task A_database_that_cannot_be_written_is_not_ready(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared();
        await database.Storage.CheckWritable(CancellationToken.None);
        if (storage == StorageKind.Postgres)
        {
            await at.Execute(
                $"alter database {(await at.Query("select current_database()", row => row.GetString(0)))[0]} set default_transaction_read_only = on");
            await using var readOnly = Database.For(DatabaseUrl.Parse(at.Url), new());
            await Assert.ThrowsAsync<Grains.EventLog.EventLogUnavailableException>(() =>
                readOnly.Storage.CheckWritable(CancellationToken.None));
        }
        else
        {
            await using var gone = Database.For(DatabaseUrl.Parse(at.Url + ".gone"), new());
            await Assert.ThrowsAsync<Grains.EventLog.EventLogUnavailableException>(() =>
                gone.Storage.CheckWritable(CancellationToken.None));
            Assert.False(File.Exists(at.Path + ".gone"));
        }
    }
}
