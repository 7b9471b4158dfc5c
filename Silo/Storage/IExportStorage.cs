using Tally.Grains.EventLog;

namespace Tally.Silo.Storage;

/// <summary>A row's place in the order of the log's key: by fingerprint, in the order of its UTF-8 bytes, then by sequence.</summary>
/// <param name="Fingerprint">Empty before all.</param>
/// <param name="Sequence">From 1; 0 before all of the fingerprint's.</param>
public readonly record struct ExportCursor(string Fingerprint, long Sequence)
{
    public static ExportCursor Beginning { get; } = new("", 0);
}

/// <summary>Which rows of the log.</summary>
/// <param name="After">Those after this place.</param>
/// <param name="From">UTC: of those that occurred at this time or later.</param>
/// <param name="To">UTC: and before this one.</param>
/// <param name="Product">And of this product; null for any.</param>
public sealed record ExportSelection(ExportCursor After, DateTime From, DateTime To, string? Product);

/// <summary>The log's rows for whoever takes them away.</summary>
public interface IExportStorage
{
    /// <summary>
    /// Rows in the order of the key, as of the moment when the first is asked for: without a sort and in constant memory,
    /// however many they are. Until it is disposed it holds a connection and that moment's snapshot.
    /// </summary>
    /// <exception cref="EventLogUnavailableException">The database does not answer, or not any more.</exception>
    IAsyncEnumerable<RecordedEvent> Export(ExportSelection selection, CancellationToken cancellation);
}
