using Tally.Silo.Import;
using Tally.Silo.Import.Tools;
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
/// <param name="IsDryRun">Whether nothing is sent.</param>
internal sealed record ImportSettings(ImportSource Source, TimeChoice Times, Uri? To = null, string? Key = null,
    bool IsDryRun = false)
{
    /// <summary>What is known of another tool's export.</summary>
    public ToolSettings Tool { get; init; } = new();
}

/// <summary><c>app import</c>: sends recorded events to a running service, and reports those it refused.</summary>
internal static class ImportCommand
{
    /// <returns>0 if every event is recorded now, or would be, else 1.</returns>
    public static async Task<int> Run(AppSettings settings, ImportSettings import)
    {
        await using var file = import.Source is ImportSource.File { Path: var path } ? Open(path) : Stream.Null;
        var (name, items) = import.Source switch
        {
            ImportSource.File of => (of.Path, ItemsOf(file, of.Path, import)),
            ImportSource.Postgres of => (of.Url.ToString(), ItemsOf(of.Url, import)),
            _ => throw new ArgumentOutOfRangeException(nameof(import)),
        };
        void Report(long line, string reason) => TransferProgress.Tell($"{name}:{line}: {reason}");
        Task Show(object counts, Func<Task> run) => TransferProgress.Show(counts,
            () => file is FileStream { CanSeek: true } ? (file.Position, file.Length) : null, run);

        if (import.IsDryRun)
        {
            var dryRun = new DryRun(Report);
            await Explained(name, () => Show(dryRun, () => dryRun.Run(items)), () => Console.Write(dryRun.ToReport()));
            return dryRun.Refused == 0 ? 0 : 1;
        }
        using var service = new ServiceClient(import.To ?? settings.LocalUrl, import.Key);
        await service.CheckReady();
        var tally = new ImportTally();
        var importing = new Importing(service, tally, Report);
        await Explained(name, () => Show(tally, () => importing.Run(items)), () => Console.WriteLine(tally));
        return tally.Refused == 0 ? 0 : 1;
    }

    private static IAsyncEnumerable<Item> ItemsOf(Stream file, string path, ImportSettings import) =>
        (import.Tool.Format is null or ToolFormats.Ga4 or ToolFormats.Tally) && Ga4Parquet.Is(file)
            ? Ga4Parquet.Read(file, import.Tool)
            : FileItems.Read(file, path, import.Times, import.Tool);

    private static IAsyncEnumerable<Item> ItemsOf(DatabaseUrl.Postgres url, ImportSettings import) =>
        import.Tool.Format switch
        {
            ToolFormats.Umami => UmamiDatabase.Read(url, import.Tool),
            null or ToolFormats.Tally when import.Tool.Product is not null =>
                throw new StartupException($"{url}: the table {ToolFormats.NamesItsProducts}"),
            null or ToolFormats.Tally => PostgresItems.Read(url, import.Times),
            var other => throw new StartupException(
                $"{url}: the format {other} is read from files, not from a database"),
        };

    // Says of what a message is, and prints the counts however it ends.
    private static async Task Explained(string name, Func<Task> run, Action print)
    {
        try
        {
            await run();
        }
        catch (StartupException exception)
        {
            throw new StartupException($"{name}: {exception.Message}", exception);
        }
        finally
        {
            print();
        }
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
