using Tally.Tests.Harness;

namespace Tally.Tests.Cluster;

/// <summary>
/// A full disk, a read-only file or a second process gives 503 or one clear line, and nothing is lost.
/// </summary>
public sealed class SqliteUnderFaults
{
    private const int EventsBefore = 300;
    private const int RefusedMin = 100;

    [Fact]
    public async Task A_full_disk_refuses_events_until_there_is_space_again()
    {
        var seed = Seed.Next();
        await using var disk = await SmallDisk.Mount(megabytes: 24);
        await using var database = TestDatabase.In(disk.Folder);
        await using var app = await AppProcess.Start(database);
        await RefusesWhile(app, database, Load.Start([app.Port], seed), disk.Fill, disk.Free);
    }

    [Fact]
    public async Task A_read_only_file_refuses_events_until_it_can_be_written_again()
    {
        var seed = Seed.Next();
        var folder = Directory.CreateTempSubdirectory("tally-sqlite-").FullName;
        await using var database = TestDatabase.In(folder);
        await SkipUnlessImmutableBinds(folder);
        await using var app = await AppProcess.Start(database);
        string[] files = [database.Path, database.Path + "-wal"];
        try
        {
            await RefusesWhile(app, database, Load.Start([app.Port], seed), () => SetImmutable(files, true),
                () => SetImmutable(files, false));
        }
        finally
        {
            SetImmutable(files, false);
        }
    }

    [Fact]
    public async Task A_second_process_on_the_same_file_is_refused_and_the_first_goes_on()
    {
        await using var database = TestDatabase.In(Directory.CreateTempSubdirectory("tally-sqlite-").FullName);
        await using var first = await AppProcess.Start(database);
        var (exitCode, output, error) = await AppProcess.Run(["-port", $"{FreePort.Next()}", "-dbUrl", database.Url]);
        Assert.Equal(1, exitCode);
        Assert.Equal("", output);
        Assert.Matches("^app: .*tally.db is in use by another process[^\n]*\n$", error);
        using var wire = (await HttpWire.Connect(first.Port))!;
        Assert.Equal(200, (await wire.Ask(HttpWire.PostOf("action=a&product=p&fingerprint=f")))!.Status);
    }

    private static async Task RefusesWhile(AppProcess app, TestDatabase database, Load load, Action begin, Action end)
    {
        await Eventually.True(() => Task.FromResult(load.History.Acknowledged >= EventsBefore),
            "Too few events acknowledged.");
        begin();
        await Eventually.True(() => Task.FromResult(load.History.Count(AttemptOutcome.Refused) >= RefusedMin),
            $"Events are not refused: {load.History}", seconds: 60);
        // All requests under way at the fault are answered by now, so later acknowledgements mean that it serves again.
        var before = load.History.Acknowledged;
        var refused = load.History.Count(AttemptOutcome.Refused);
        await Eventually.True(() => Task.FromResult(load.History.Count(AttemptOutcome.Refused) >= refused + RefusedMin),
            $"Events are not refused any more: {load.History}", seconds: 60);
        end();
        await Eventually.True(() => Task.FromResult(load.History.Acknowledged >= before + EventsBefore),
            $"It does not serve again by itself: {load.History}");
        await load.Finish();

        Refusals.AssertUnavailableAndQuick(load.History);
        await HistoryCheck.Holds(load.History, database, app);
        AppLog.AssertCalmAndDiscreet(app);
    }

    // File modes do not bind root. The immutable flag does, if the file system has one.
    private static async Task SkipUnlessImmutableBinds(string folder)
    {
        const string need =
            "A read-only file under a running process needs root and a file system whose immutable flag binds open files.";
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, need);
        var probe = Path.Combine(folder, "probe");
        await using var open = File.Create(probe, bufferSize: 0);
        try
        {
            SetImmutable([probe], true);
            open.WriteByte(1);
        }
        catch (UnauthorizedAccessException)
        {
            return; // it binds
        }
        catch (InvalidOperationException)
        {
            // chattr failed
        }
        finally
        {
            SetImmutable([probe], false);
        }
        Assert.Skip(need);
    }

    private static void SetImmutable(string[] files, bool immutable) =>
        Commands.Run("chattr", [immutable ? "+i" : "-i", .. files.Where(File.Exists)]).GetAwaiter().GetResult();
}
