using Tally.Tests.Harness;

namespace Tally.Tests.CommandLine;

/// <summary>With a path that cannot hold a database, every command fails with one line.</summary>
public sealed class SqlitePaths : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("tally-paths-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task What_is_none_is_told_in_one_line()
    {
        var text = Path.Combine(folder, "text.db");
        await File.WriteAllTextAsync(text,
            "This is a text of more than a hundred bytes, so that SQLite reads a whole header of it, which it is not.");
        var binary = Path.Combine(folder, "binary.db");
        await File.WriteAllBytesAsync(binary, [.. "SQLite format 3\0"u8, .. Enumerable.Repeat((byte)0xA5, 10_000)]);
        var pipe = Path.Combine(folder, "pipe");
        await Commands.Run("mkfifo", pipe);
        var loop = Path.Combine(folder, "loop");
        File.CreateSymbolicLink(loop, loop);
        foreach (var (path, reason) in ((string, string)[])
                 [
                     (folder, " is a folder"), (text, "file is not a database"), (Path.Combine(text, "below.db"), text),
                     (pipe, pipe), (loop, loop),
                     ("/proc/nowhere/tally.db", "/proc/nowhere"), ("/dev/null", " is not a file that"),
                     (new string('a', 5000), "aaa"), (binary, binary), ("/", " is a folder"),
                     ("/proc/self/mem", "/proc/self/mem"),
                 ])
            await IsOneLine(path, reason);
    }

    [Fact]
    public async Task A_full_disk_is_told_in_one_line()
    {
        await using var disk = await SmallDisk.Mount(megabytes: 1);
        Directory.CreateDirectory(disk.Folder);
        disk.Fill();
        await IsOneLine(Path.Combine(disk.Folder, "tally.db"), "full");
    }

    private static async Task IsOneLine(string path, string reason)
    {
        foreach (var command in (string[])["serve", "migrate", "verify"])
        {
            string[] arguments = command == "serve" ? ["-port", $"{FreePort.Next()}"] : [command];
            var (exitCode, output, error) = await AppProcess.Run([.. arguments, "-dbUrl", "sqlite:" + path]);
            Assert.True((exitCode, output) == (1, ""), $"{command} {path}: {exitCode} {output}{error}");
            Assert.StartsWith("app: ", error);
            if (command != "verify") Assert.Contains(reason, error); // verify only reads, and has its own message
            Assert.Equal(error.Length - 1, error.IndexOf('\n'));
        }
    }
}
