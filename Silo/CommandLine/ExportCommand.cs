using Tally.Silo.Export;
using Tally.Silo.Http.Exports;
using Tally.Silo.Settings;
using Tally.Silo.Storage;

namespace Tally.Silo.CommandLine;

/// <param name="Path">Of a file, or - for standard output.</param>
/// <param name="From">The service; null for the one on this machine.</param>
/// <param name="Key">Its read key, if it asks for one.</param>
/// <param name="Since">The endpoint's <c>from</c>.</param>
/// <param name="Until">Its <c>to</c>.</param>
/// <param name="Product">Its <c>product</c>.</param>
/// <param name="Format">Null to go by the path's extension.</param>
internal sealed record ExportSettings(string Path, Uri? From = null, string? Key = null, string? Since = null,
    string? Until = null, string? Product = null, string? Format = null);

/// <summary><c>app export</c>: writes a running service's rows to a file.</summary>
internal static class ExportCommand
{
    /// <returns>0 if the export is complete; an incomplete one throws.</returns>
    public static async Task<int> Run(AppSettings settings, ExportSettings export)
    {
        var format = export.Format ?? FormatOf(export.Path);
        using var source = new ExportSource(export.From ?? settings.LocalUrl, export.Key,
            format, export.Since, export.Until, export.Product);
        using var target = new ExportTarget(export.Path);
        var tally = new ExportTally { Rows = format == ExportFormat.Parquet ? null : 0 };
        try
        {
            // Counted for the bar alone, by a request of its own.
            var rows = Console.IsErrorRedirected || tally.Rows is null ? null : await source.Count();
            await TransferProgress.Show(tally, () => tally.Rows is { } done && done <= rows ? (done, rows.Value) : null,
                new Exporting(source, target, format, tally).Run);
        }
        catch (StartupException exception)
        {
            throw new StartupException($"{export.Path}: {exception.Message}", exception);
        }
        await (export.Path == "-" ? Console.Error : Console.Out).WriteLineAsync(tally.ToString());
        return 0;
    }

    private static string FormatOf(string path)
    {
        var plain = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? path[..^3] : path;
        return Path.GetExtension(plain).ToUpperInvariant() switch
        {
            ".NDJSON" or ".JSONL" => ExportFormat.Ndjson,
            ".CSV" => ExportFormat.Csv,
            ".PARQUET" => ExportFormat.Parquet,
            _ when path == "-" => ExportFormat.Ndjson,
            _ => throw new UsageException(
                "the file: its name does not end in .ndjson, .jsonl, .csv or .parquet; set -format"),
        };
    }
}
