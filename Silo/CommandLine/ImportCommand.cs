using Tally.Silo.Import;
using Tally.Silo.Settings;
using Tally.Silo.Storage;

namespace Tally.Silo.CommandLine;

/// <summary>What an import reads.</summary>
public abstract record ImportSource
{
    private ImportSource() { }

    /// <param name="Path">Of a file, or - for standard input.</param>
    public sealed record File(string Path) : ImportSource;

    /// <param name="Url">Of the database of the service that Tally replaces.</param>
    public sealed record Postgres(DatabaseUrl.Postgres Url) : ImportSource;
}

/// <param name="Source">Where the events are.</param>
/// <param name="To">The service; null for the one on this machine.</param>
/// <param name="Key">Its write key, if it asks for one.</param>
/// <param name="Times">Where the events have their times.</param>
internal sealed record ImportSettings(ImportSource Source, TimeChoice Times, Uri? To = null, string? Key = null);

/// <summary><c>app import</c>: sends recorded events to a running service, and reports those it refused.</summary>
internal static class ImportCommand
{
    /// <returns>0 if every event is recorded now, else 1.</returns>
    public static async Task<int> Run(AppSettings settings, ImportSettings import)
    {
        await using var file = import.Source is ImportSource.File { Path: var path } ? Open(path) : Stream.Null;
        var (name, items) = import.Source switch
        {
            ImportSource.File of => (of.Path, FileItems.Read(file, of.Path, import.Times)),
            ImportSource.Postgres of => (of.Url.ToString(), PostgresItems.Read(of.Url, import.Times)),
            _ => throw new ArgumentOutOfRangeException(nameof(import)),
        };
        using var service = new ServiceClient(import.To ?? settings.LocalUrl, import.Key);
        await service.CheckReady();

        var tally = new ImportTally();
        var importing =
            new Importing(service, tally, (line, reason) => TransferProgress.Tell($"{name}:{line}: {reason}"));
        try
        {
            await TransferProgress.Show(tally,
                () => file is FileStream { CanSeek: true } ? (file.Position, file.Length) : null,
                () => importing.Run(items));
        }
        catch (StartupException exception)
        {
            throw new StartupException($"{name}: {exception.Message}", exception);
        }
        finally
        {
            Console.WriteLine(tally);
        }
        return tally.Refused == 0 ? 0 : 1;
    }

    private static Stream Open(string path)
    {
        try
        {
            return path == "-" ? Console.OpenStandardInput()
                : Directory.Exists(path) ? throw new IOException("it is a folder") : File.OpenRead(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new StartupException($"{path}: cannot be read: {exception.Message}", exception);
        }
    }
}
