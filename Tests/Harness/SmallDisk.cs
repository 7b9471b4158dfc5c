namespace Tally.Tests.Harness;

/// <summary>
/// A disk of a few megabytes, in memory, that a test can fill and free again. Only root can mount it.
/// </summary>
public sealed class SmallDisk : IAsyncDisposable
{
    private readonly string folder;

    private SmallDisk(string folder) => this.folder = folder;

    /// <summary>A folder on the disk for a database.</summary>
    public string Folder => Path.Combine(folder, "data");

    private string Ballast => Path.Combine(folder, "ballast");

    public static async Task<SmallDisk> Mount(int megabytes)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess,
            "A full disk needs root, to mount a small tmpfs.");
        var folder = Directory.CreateTempSubdirectory("tally-disk-").FullName;
        try
        {
            await Commands.Run("mount", "-t", "tmpfs", "-o", $"size={megabytes}m", "tmpfs", folder);
        }
        catch (InvalidOperationException exception)
        {
            Directory.Delete(folder);
            Assert.Skip($"A full disk needs the right to mount a small tmpfs: {exception.Message}");
        }
        return new(folder);
    }

    /// <summary>Takes all the remaining space.</summary>
    public void Fill()
    {
        using var ballast = new FileStream(Ballast, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        foreach (var size in (int[])[65_536, 4_096])
        {
            try
            {
                while (true) ballast.Write(new byte[size]);
            }
            catch (IOException)
            {
                // full for pieces of this size
            }
        }
    }

    public void Free() => File.Delete(Ballast);

    public async ValueTask DisposeAsync()
    {
        await Commands.Run("umount", folder);
        Directory.Delete(folder);
    }
}
