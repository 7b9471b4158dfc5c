using System.IO.Compression;
using Tally.Silo.Storage;

namespace Tally.Silo.Export;

/// <summary>
/// Where an export goes: standard output, or a file, which has another name until it is complete. A name that ends in
/// .gz means compression.
/// </summary>
internal sealed class ExportTarget : IDisposable
{
    private const int BufferBytes = 1 << 16;

    private readonly string path;
    private readonly string? partial;
    private readonly bool isGzip;
    private readonly Stream sink;
    private readonly Stream stream;
    private bool isComplete;

    /// <param name="path">A file's, or - for standard output.</param>
    /// <exception cref="StartupException">It cannot be written.</exception>
    public ExportTarget(string path)
    {
        this.path = path;
        var pipe = OpenPipe(path);
        // A device is written to directly: renaming a file over it would replace it for everyone.
        if (path != "-" && !path.StartsWith("/dev/", StringComparison.Ordinal) && pipe is null)
            partial = path + ".partial";
        sink = pipe ?? Guarded(() => path == "-" ? Console.OpenStandardOutput()
            : path.Length == 0 ? throw new IOException("it has no name")
            : Directory.Exists(path) ? throw new IOException("it is a folder")
            : new FileStream(partial ?? path, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0));
        isGzip = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase);
        stream = new BufferedStream(isGzip ? new GZipStream(sink, CompressionLevel.Optimal) : sink, BufferBytes);
    }

    /// <exception cref="StartupException">It cannot be written.</exception>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        try
        {
            stream.Write(bytes);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Failed(exception);
        }
    }

    /// <summary>Forgets what was written.</summary>
    /// <returns>False where that is out of reach already.</returns>
    public bool TryClear() => partial is not null && !isGzip && Guarded(() =>
    {
        stream.Flush();
        sink.SetLength(0);
        return true;
    });

    /// <summary>Gives the file its name.</summary>
    /// <exception cref="StartupException">It cannot be written.</exception>
    public void Complete() => Guarded(() =>
    {
        stream.Flush();
        if (sink is FileStream { CanSeek: true } file && partial is not null)
        {
            if (isGzip) stream.Dispose(); // writes the end, and closes the file
            else file.Flush(flushToDisk: true);
            File.Move(partial, path, overwrite: true);
        }
        return isComplete = true;
    });

    public void Dispose()
    {
        try
        {
            stream.Dispose();
        }
        catch (IOException) when (!isComplete)
        {
            // a full disk, which was reported before
        }
        if (!isComplete && partial is not null) File.Delete(partial);
    }

    // Opening a pipe waits for its reader.
    private static FileStream? OpenPipe(string path)
    {
        try
        {
            if (!File.Exists(path)) return null;
            var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
            if (!file.CanSeek) return file;
            file.Dispose();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // reported when the file is opened for writing
        }
        return null;
    }

    private T Guarded<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw Failed(exception);
        }
    }

    private StartupException Failed(Exception exception) =>
        new($"{path}: cannot be written: {exception.Message}", exception);
}
