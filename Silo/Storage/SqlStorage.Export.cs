using System.Data.Common;
using System.Runtime.CompilerServices;
using Tally.Grains.EventLog;

namespace Tally.Silo.Storage;

/// <summary>
/// A row's place in the order of the log's key: by fingerprint, in the order of its UTF-8 bytes, then by sequence.
/// </summary>
/// <param name="Fingerprint">Empty before all.</param>
/// <param name="Sequence">From 1; 0 before all of the fingerprint's.</param>
public readonly record struct ExportCursor(string Fingerprint, long Sequence)
{
    public static ExportCursor Beginning { get; } = new("", 0);
}

/// <summary>Selects rows of the log.</summary>
/// <param name="After">Rows after this place.</param>
/// <param name="From">UTC: events that occurred at this time or later.</param>
/// <param name="To">UTC: events that occurred before this time.</param>
/// <param name="Product">Events of this product; null for any.</param>
public sealed record ExportSelection(ExportCursor After, DateTime From, DateTime To, string? Product);

/// <summary>How the log is exported.</summary>
public abstract partial class SqlStorage
{
    private readonly string exportEvents = scripts["export_events"];

    /// <summary>
    /// Rows in the order of the key, as of the moment when the first is asked for. It never sorts, and needs the same
    /// memory for any number of rows. Until it is disposed, it holds a connection and that moment's snapshot.
    /// </summary>
    /// <exception cref="EventLogUnavailableException">The database does not answer, or no longer.</exception>
    public async IAsyncEnumerable<RecordedEvent> Export(
        ExportSelection selection, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await using var connection = await Translating(() => OpenExport(cancellation), cancellation);
        await using var command = connection.CreateCommand();
        command.CommandText = exportEvents;
        command.CommandTimeout = 0; // a selection of few rows may need long for the next one
        command.Parameters.AddRange((DbParameter[])
        [
            Parameter("fingerprint", selection.After.Fingerprint), Parameter("sequence", selection.After.Sequence),
            Time("from", selection.From), Time("to", selection.To), Parameter("product", selection.Product ?? ""),
        ]);
        using var interrupting = InterruptOn(connection, cancellation);
        await using var rows = await Translating(() => command.ExecuteReaderAsync(cancellation), cancellation);
        var isWhole = false;
        try
        {
            Func<Task<bool>> next = () => rows.ReadAsync(cancellation);
            while (await Translating(next, cancellation)) yield return ReadEvent(rows);
            isWhole = true;
        }
        finally
        {
            if (!isWhole) command.Cancel(); // else closing the reader would read all other rows
        }
    }

    /// <summary>
    /// A connection in a transaction that sees one moment, and reads in the order of keys without sorting.
    /// </summary>
    protected abstract Task<DbConnection> OpenExport(CancellationToken cancellation);

    private async ValueTask<T> Translating<T>(Func<Task<T>> ask, CancellationToken cancellation)
    {
        try
        {
            return await ask();
        }
        catch (Exception exception) when (IsDatabaseFailure(exception))
        {
            cancellation.ThrowIfCancellationRequested();
            throw Unavailable(exception);
        }
    }
}
