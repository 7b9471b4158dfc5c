using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Tally.Grains;
using Tally.Silo.Http;
using Tally.Silo.Settings;
using Tally.Silo.Storage;
using Tally.Tests.Harness;

namespace Tally.Tests.Storage;

/// <summary>All silos share one salt a day, and no older one is kept.</summary>
public sealed class Salts(PostgresServer server)
{
    private static readonly DateTimeOffset BeforeMidnight = new(2026, 3, 1, 23, 59, 30, TimeSpan.Zero);
    private static readonly DateOnly Day = DateOnly.FromDateTime(BeforeMidnight.Date);

    [Theory, EachStorage]
    public async Task Silos_that_come_at_once_get_the_same_one(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared();
        for (var day = Day; day < Day.AddDays(3); day = day.AddDays(1))
        {
            var taken =
                await Task.WhenAll(
                    Enumerable.Range(0, 16)
                        .Select(i => Task.Run(() => database.Storage.TakeSalt(Fresh(day, (byte)i)))));
            Assert.All(taken, salt => Assert.Equal((day, taken[0].Salt[0]), (salt.Day, salt.Salt[0])));
            Assert.Equal([taken[0].Salt], await Stored(at));
        }
    }

    [Theory, EachStorage]
    public async Task A_silo_whose_midnight_comes_later_gets_the_new_one_and_brings_nothing_back(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared();
        await database.Storage.TakeSalt(Fresh(Day, 1));
        await database.Storage.TakeSalt(Fresh(Day.AddDays(1), 2));
        var late = await database.Storage.TakeSalt(Fresh(Day, 3));
        Assert.Equal((Day.AddDays(1), 2), (late.Day, late.Salt[0]));
        await database.Storage.DestroySalt();
        Assert.Empty(await Stored(at));
        await database.Storage.DestroySalt();
    }

    [Theory, EachStorage]
    public async Task At_midnight_the_salt_is_another_and_the_old_one_is_gone_without_any_event(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared();
        var clock = new FakeTimeProvider(BeforeMidnight);
        using var one = Serving(database, clock, FingerprintSource.Server);
        using var other = Serving(database, clock, FingerprintSource.Server);
        await one.StartAsync(CancellationToken.None);
        await Eventually.True(async () => (await Stored(at)).Count == 1, "No salt was taken.");
        var first = await one.Current();
        Assert.Equal(32, first.Length);
        Assert.Same(first, await one.Current());
        Assert.Equal(first, await other.Current());

        clock.Advance(TimeSpan.FromMinutes(1));
        await Eventually.True(async () => !(await Stored(at)).Single().SequenceEqual(first),
            "The old salt is still there.");
        var second = await one.Current();
        Assert.NotEqual(first, second);
        Assert.Equal(second, await other.Current());
        await one.StopAsync(CancellationToken.None);
    }

    [Theory, EachStorage]
    public async Task Where_it_is_not_asked_for_none_is_kept(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared();
        await database.Storage.TakeSalt(Fresh(Day, 1));
        using var salts = Serving(database, new FakeTimeProvider(BeforeMidnight), FingerprintSource.Client);
        await salts.StartAsync(CancellationToken.None);
        await salts.ExecuteTask!;
        Assert.Empty(await Stored(at));
    }

    [Theory, EachStorage]
    public async Task It_is_the_midnight_of_the_service_s_time_zone(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared();
        await database.Storage.CountIn(Calendar.Find("America/New_York")!);
        var clock = new FakeTimeProvider(BeforeMidnight);
        using var one = Serving(database, clock, FingerprintSource.Server);
        var evening = await one.Current();
        clock.Advance(TimeSpan.FromHours(5)); // past UTC's midnight
        Assert.Equal(evening, await one.Current());
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.NotEqual(evening, await one.Current());
    }

    [Fact]
    public async Task A_sqlite_file_has_no_salt_of_before()
    {
        await using var at = await TestDatabase.Create(StorageKind.Sqlite, server);
        byte[][] salts =
            [.. Enumerable.Range(1, 3)
                .Select(i => Enumerable.Range(0, 32).Select(j => (byte)(17 * i + 7 * j)).ToArray())];
        await using (var database = await at.OpenPrepared())
            for (var i = 0; i < salts.Length; i++) await database.Storage.TakeSalt(new(Day.AddDays(i), salts[i]));
        Assert.Equal([false, false, true], salts.Select(salt => Holds(at, salt)));
        await using (var database = await at.OpenPrepared()) await database.Storage.DestroySalt();
        Assert.DoesNotContain(salts, salt => Holds(at, salt));
    }

    private static bool Holds(TestDatabase at, byte[] bytes) => Directory.GetFiles(Path.GetDirectoryName(at.Path)!)
        .Any(file => File.ReadAllBytes(file).AsSpan().IndexOf(bytes) >= 0);

    private static DailySalts Serving(Database database, TimeProvider clock, FingerprintSource source) =>
        new(new([], source), database.Storage, clock, NullLogger<DailySalts>.Instance);

    private static DailySalt Fresh(DateOnly day, byte first) => new(day, [first, .. new byte[31]]);

    private static Task<List<byte[]>> Stored(TestDatabase at) =>
        at.Query("select salt from daily_salts", row => (byte[])row[0]);
}
