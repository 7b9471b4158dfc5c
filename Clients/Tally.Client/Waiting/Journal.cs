using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Tally.Client.Waiting;

/// <summary>One of the journal's files.</summary>
internal sealed class JournalSegment(string path)
{
    public string Path { get; } = path;

    /// <summary>How many of its events are not settled.</summary>
    public int Waiting { get; set; }
}

/// <summary>
/// Events on disk, in files to which lines are appended. A file goes when all of its events are settled, so after a
/// crash some settled ones may be sent again: their ids make them count once. Its user serialises all calls.
/// </summary>
/// <remarks>
/// No fault of the disk reaches the caller: an event that cannot be written waits in memory only, which is logged.
/// </remarks>
internal sealed class Journal : IDisposable
{
    private const string Extension = ".ndjson";
    private const int SegmentBytesMax = 1 << 20;
    private const UnixFileMode OnlyUs = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string folder;
    private readonly FileStream mark; // whoever has it open has the folder
    private readonly ILogger logger;
    private readonly List<string> left;
    private long number;
    private FileStream? file;
    private JournalSegment? current;

    private Journal(string folder, FileStream mark, ILogger logger)
    {
        (this.folder, this.mark, this.logger) = (folder, mark, logger);
        left = [.. Directory.EnumerateFiles(folder, "*" + Extension).Order(StringComparer.Ordinal)];
        foreach (var path in left)
            if (long.TryParse(Path.GetFileNameWithoutExtension(path), NumberStyles.None, CultureInfo.InvariantCulture,
                out var used)) number = Math.Max(number, used);
    }

    /// <returns>Null if the folder cannot be used, or another process does.</returns>
    public static Journal? Open(string folder, ILogger logger)
    {
        try
        {
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
            else Directory.CreateDirectory(folder, OnlyUs | UnixFileMode.UserExecute);
            return new(folder, OpenFile(Path.Combine(folder, "lock"), FileMode.OpenOrCreate, FileShare.None), logger);
        }
        catch (Exception exception) when (IsOfTheDisk(exception))
        {
            ClientLog.NoQueueFolder(logger, folder, exception);
            return null;
        }
    }

    /// <summary>What earlier processes left, in their order. A line without its end is skipped.</summary>
    public IEnumerable<(string Id, byte[] Line, JournalSegment Segment)> ReadLeft()
    {
        foreach (var path in left)
        {
            if (Read(path) is not { } lines) continue;
            var segment = new JournalSegment(path) { Waiting = 1 }; // a file that is being read does not go
            foreach (var line in Split(lines))
            {
                if (IdOf(line) is not { } id) continue;
                segment.Waiting++;
                yield return (id, line, segment);
            }
            Settle(segment);
        }
    }

    /// <returns>The file that has the event, or null.</returns>
    public JournalSegment? Append(byte[] line)
    {
        try
        {
            if (file is null || file.Position + line.Length > SegmentBytesMax) Begin();
            file!.Write(line);
            current!.Waiting++;
            return current;
        }
        catch (Exception exception) when (IsOfTheDisk(exception))
        {
            // It may end in the middle of a line, so nothing more goes into it.
            Leave();
            ClientLog.NotKept(logger, folder, exception);
            return null;
        }
    }

    /// <summary>One of the file's events need not be sent any more.</summary>
    public void Settle(JournalSegment? segment)
    {
        if (segment is null || --segment.Waiting > 0) return;
        try
        {
            if (segment == current) file!.SetLength(0);
            else File.Delete(segment.Path);
        }
        catch (Exception exception) when (IsOfTheDisk(exception))
        {
            ClientLog.NotRemoved(logger, segment.Path, exception);
        }
    }

    public void Dispose()
    {
        Leave();
        mark.Dispose();
    }

    private void Begin()
    {
        Leave();
        var path = Path.Combine(folder, $"{++number:D12}{Extension}");
        file = OpenFile(path, FileMode.CreateNew, FileShare.Read);
        current = new(path);
    }

    private void Leave()
    {
        file?.Dispose();
        var ended = current;
        (file, current) = (null, null);
        if (ended is not { Waiting: 0 }) return;
        ended.Waiting++;
        Settle(ended); // removes it
    }

    // Without a buffer: what is written is with the operating system at once.
    private static FileStream OpenFile(string path, FileMode mode, FileShare share)
    {
        var options = new FileStreamOptions
        {
            Mode = mode, Access = FileAccess.Write, Share = share, BufferSize = 0,
        };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OnlyUs;
        return new(path, options);
    }

    private byte[]? Read(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception exception) when (IsOfTheDisk(exception))
        {
            ClientLog.NotRead(logger, path, exception);
            return null;
        }
    }

    private static IEnumerable<byte[]> Split(byte[] lines)
    {
        for (int at = 0, length; (length = lines.AsSpan(at).IndexOf((byte)'\n') + 1) > 0; at += length)
            yield return lines[at..(at + length)];
    }

    private static string? IdOf(byte[] line)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            return document.RootElement is { ValueKind: JsonValueKind.Object } one
                && one.TryGetProperty("id", out var id) && id.ValueKind == JsonValueKind.String ? id.GetString() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static bool IsOfTheDisk(Exception exception) => exception is IOException or UnauthorizedAccessException;
}
