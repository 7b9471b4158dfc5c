using Tally.Tests.Harness;

namespace Tally.Tests.CommandLine;

/// <summary>app migrate, app health and app verify: their output and exit codes.</summary>
public sealed class SubCommands(PostgresServer server)
{
    [Theory, EachStorage]
    public async Task Migrate_says_what_it_applied_and_the_second_time_nothing(StorageKind storage)
    {
        await using var database = await TestDatabase.Create(storage, server);
        string[] arguments = ["migrate", "-dbUrl", database.Url];
        var first = await AppProcess.Run(arguments);
        var second = await AppProcess.Run(arguments);
        Assert.Equal((0, "", 0, ""), (first.ExitCode, first.Error, second.ExitCode, second.Error));
        Assert.StartsWith("applied 0001_baseline\napplied 0002_orleans\n", first.Output);
        var upToDate = Assert.Single(second.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.EndsWith(" is up to date.", upToDate);
        Assert.EndsWith(upToDate + "\n", first.Output);
        Assert.DoesNotContain("Password", first.Output);
    }

    [Fact]
    public async Task Health_is_0_where_the_app_is_ready_and_1_where_nothing_answers()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database);
        string[] arguments = ["health", "-port", $"{app.Port}"]; // the default host, 0.0.0.0, is not an address to ask
        var ready = await AppProcess.Run(arguments);
        Assert.Equal((0, """{"status":"ready"}""" + "\n", ""), ready);

        await app.Terminate();
        var gone = await AppProcess.Run(arguments);
        Assert.Equal((1, ""), (gone.ExitCode, gone.Output));
        Assert.StartsWith("app: not ready: ", gone.Error);
        Assert.Single(gone.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Theory, EachStorage]
    public async Task Verify_is_0_where_all_is_equal_and_1_where_someone_tampered(StorageKind storage)
    {
        await using var database = await TestDatabase.Create(storage, server);
        await using (var app = await AppProcess.Start(database))
        {
            for (var i = 0; i < 70; i++)
                Assert.Equal(200, (await app.PostForm("action=view&product=k8s&fingerprint=a")).Status);
            Assert.Equal(200, (await app.PostForm("action=view&product=k8s&fingerprint=b")).Status);
            await app.Terminate();
        }
        string[] arguments = ["verify", "-dbUrl", database.Url];
        var honest = await AppProcess.Run(arguments);
        Assert.Equal((0, ""), (honest.ExitCode, honest.Error));
        Assert.StartsWith("71 events of 2 fingerprints, 1 snapshots, ", honest.Output);
        Assert.EndsWith(": all equal\n", honest.Output);

        // With one row less, the snapshot and the rollups count more than the log.
        await database.Execute("delete from events where fingerprint = 'a' and sequence = 5");
        var tampered = await AppProcess.Run(arguments);
        Assert.Equal(1, tampered.ExitCode);
        Assert.StartsWith("70 events of 2 fingerprints",
            tampered.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1]);
        Assert.EndsWith(" differences\n", tampered.Output);
    }

    [Fact]
    public async Task Verify_of_a_path_that_does_not_exist_says_so_and_makes_no_file()
    {
        var folder = Directory.CreateTempSubdirectory("tally-verify-").FullName;
        var (exitCode, output, error) = await AppProcess.Run(["verify", "-dbUrl", $"sqlite:{folder}/nope.db"]);
        Assert.Equal((1, ""), (exitCode, output));
        Assert.StartsWith($"app: sqlite:{folder}/nope.db cannot be read: ", error);
        Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Empty(Directory.GetFileSystemEntries(folder));
        Directory.Delete(folder);
    }

    [Fact]
    public async Task Verify_of_what_is_no_database_of_tallys_says_so()
    {
        var file = Path.GetTempFileName();
        foreach (var content in (string[])["",
            "This is a text of more than a hundred bytes, so that SQLite reads a whole header of it, which it is not."])
        {
            await File.WriteAllTextAsync(file, content);
            var (exitCode, output, error) = await AppProcess.Run(["verify", "-dbUrl", $"sqlite:{file}"]);
            Assert.Equal((1, ""), (exitCode, output));
            Assert.StartsWith($"app: sqlite:{file} cannot be read: ", error);
            Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        }
        File.Delete(file);

        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        var postgres = await AppProcess.Run(["verify", "-dbUrl", database.Url]);
        Assert.Equal((1, ""), (postgres.ExitCode, postgres.Output));
        Assert.Single(postgres.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }
}
