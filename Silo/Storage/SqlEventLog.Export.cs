using System.Data.Common;
using System.Runtime.CompilerServices;
using Tally.Grains.EventLog;

namespace Tally.Silo.Storage;

public abstract partial class SqlEventLog : IExportStorage
{
    private readonly string exportEvents = scripts["export_events"];

    public async IAsyncEnumerable<RecordedEvent> Export(ExportSelection selection, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await using var connection = await Answered(() => OpenExport(cancellation), cancellation);
        await using var command = connection.CreateCommand();
        command.CommandText = exportEvents;
        command.CommandTimeout = 0; // where few rows are asked for, one may be long in coming
        command.Parameters.AddRange((DbParameter[])
        [
            Parameter("fingerprint", selection.After.Fingerprint), Parameter("sequence", selection.After.Sequence),
            Time("from", selection.From), Time("to", selection.To), Parameter("product", selection.Product ?? ""),
        ]);
        using var interrupting = InterruptOn(connection, cancellation);
        await using var rows = await Answered(() => command.ExecuteReaderAsync(cancellation), cancellation);
        var isWhole = false;
        try
        {
            Func<Task<bool>> next = () => rows.ReadAsync(cancellation);
            while (await Answered(next, cancellation)) yield return ReadEvent(rows);
            isWhole = true;
        }
        finally
        {
            if (!isWhole) command.Cancel(); // else closing the reader would read all that is left
        }
    }

    /// <summary>A connection in a transaction that sees one moment, and reads in the order of keys without sorting.</summary>
    protected abstract Task<DbConnection> OpenExport(CancellationToken cancellation);

    /// <summary>Ends what the connection is doing when asked to, where its own calls would not.</summary>
    protected virtual IDisposable? InterruptOn(DbConnection connection, CancellationToken cancellation) => null;

    private async ValueTask<T> Answered<T>(Func<Task<T>> ask, CancellationToken cancellation)
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
