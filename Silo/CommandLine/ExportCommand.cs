using Tally.Silo.Export;
using Tally.Silo.Http.Exports;
using Tally.Silo.Settings;
using Tally.Silo.Storage;

namespace Tally.Silo.CommandLine;

/// <param name="Path">The file's, or - for standard output.</param>
internal sealed record ExportSettings(string Path)
{
    /// <summary>The service; null for the one on this machine.</summary>
    public Uri? From { get; init; }

    /// <summary>Its read key, if it asks for one.</summary>
    public string? Key { get; init; }

    /// <summary>The endpoint's <c>from</c>.</summary>
    public string? Since { get; init; }

    /// <summary>The endpoint's <c>to</c>.</summary>
    public string? Until { get; init; }

    /// <summary>The endpoint's <c>product</c>.</summary>
    public string? Product { get; init; }

    /// <summary>Null to go by the path's extension.</summary>
    public string? Format { get; init; }
}

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
            _ => throw new UsageException("the file: its name does not end in .ndjson, .jsonl, .csv or .parquet; set -format"),
        };
    }
}
