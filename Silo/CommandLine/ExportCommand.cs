using Tally.Silo.Export;
using Tally.Silo.Http.Exports;
using Tally.Silo.Storage;

namespace Tally.Silo.CommandLine;

/// <param name="Path">Of a file, or - for standard output.</param>
/// <param name="From">The service; null for the one on this machine.</param>
/// <param name="Key">Its read key, where it asks for one.</param>
/// <param name="Since">As the endpoint's <c>from</c>.</param>
/// <param name="Until">As its <c>to</c>.</param>
/// <param name="Product">As its <c>product</c>.</param>
/// <param name="Format">Null for what the path's extension says.</param>
internal sealed record ExportSettings(string Path, Uri? From, string? Key, string? Since, string? Until, string? Product, string? Format);

/// <summary><c>app export</c>: takes the rows of a service that runs to a file.</summary>
internal static class ExportCommand
{
    /// <returns>0 where the export is whole; what is not throws.</returns>
    public static async Task<int> Run(AppSettings settings, ExportSettings export)
    {
        var format = export.Format ?? FormatOf(export.Path);
        using var source = new ExportSource(export.From ?? settings.LocalUrl, export.Key,
            format, export.Since, export.Until, export.Product);
        using var target = new ExportTarget(export.Path);
        var tally = new ExportTally { Rows = format == ExportFormat.Parquet ? null : 0 };
        try
        {
            await ExportProgress.Show(tally, source.Count, new Exporting(source, target, format, tally).Run);
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
            _ => throw new UsageException("the file: its name ends in none of .ndjson, .jsonl, .csv and .parquet; say -format"),
        };
    }
}
