using Tally.Silo.Import;
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

/// <summary><c>app import</c>: brings recorded events to a service that runs, and says which it could not.</summary>
internal static class ImportCommand
{
    /// <param name="settings">For the service on this machine.</param>
    /// <param name="source">Where the events are.</param>
    /// <param name="to">The service; null for the one on this machine.</param>
    /// <param name="key">Its write key, where it asks for one.</param>
    /// <returns>0 where every event is recorded now, 1 where one is not.</returns>
    public static async Task<int> Run(AppSettings settings, ImportSource source, Uri? to, string? key)
    {
        await using var file = source is ImportSource.File { Path: var path } ? Open(path) : Stream.Null;
        var (name, items) = source switch
        {
            ImportSource.File of => (of.Path, FileItems.Read(file, of.Path)),
            ImportSource.Postgres of => (of.Url.ToString(), PostgresItems.Read(of.Url)),
            _ => throw new ArgumentOutOfRangeException(nameof(source)),
        };
        using var service = new ServiceClient(to ?? settings.LocalUrl, key);
        await service.CheckReady();

        var tally = new ImportTally();
        var importing = new Importing(service, tally, (line, reason) => ImportProgress.Tell($"{name}:{line}: {reason}"));
        try
        {
            await ImportProgress.Show(tally, file, () => importing.Run(items));
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
            return path == "-" ? Console.OpenStandardInput() : File.OpenRead(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new StartupException($"{path}: cannot be read: {exception.Message}", exception);
        }
    }
}
