using System.Data.Common;
using System.Globalization;
using System.Text;
using System.Text.Json;
using DuckDB.NET.Data;

namespace Tally.Tests.Harness;

/// <summary>
/// A row of an export. CSV and Parquet are read by DuckDB, so that the product does not check itself.
/// </summary>
public sealed record ExportedRow(
    string Fingerprint, long Sequence, string Id, string Action, string Product, DateTime Created, DateTime Occurred,
    string? Properties)
{
    private const string Columns = "fingerprint, sequence, id, action, product, created, occurred, properties";

    public string Cursor => $"{Sequence}:{Fingerprint}";

    public static IReadOnlyList<ExportedRow> Read(string format, byte[] file) => format switch
    {
        "ndjson" => OfNdjson(Encoding.UTF8.GetString(file)),
        "csv" => [.. OfCsv(file)],
        _ => OfParquet(file),
    };

    /// <summary>Reads an answer that may have been cut off: only whole lines count.</summary>
    public static IReadOnlyList<ExportedRow> OfNdjson(string text) =>
        [.. text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(OfJson)];

    private static ExportedRow OfJson(string line)
    {
        var json = JsonSerializer.Deserialize<JsonElement>(line);
        return new(Text("fingerprint"), json.GetProperty("sequence").GetInt64(), Text("id"), Text("action"),
            Text("product"),
            Time(Text("created")), Time(Text("occurred")),
            json.TryGetProperty("properties", out var properties) ? properties.GetRawText() : null);

        string Text(string name) => json.GetProperty(name).GetString()!;
    }

    /// <summary>The cells as a spreadsheet reads them.</summary>
    public static IReadOnlyList<string?[]> CellsOfCsv(byte[] file)
    {
        var types = string.Join(", ", Columns.Split(", ").Select(name => $"'{name}': 'VARCHAR'"));
        return Ask(file,
            path => $"select {Columns} from read_csv('{path}', header = true, auto_detect = false, delim = ',', quote = '\"', "
            + $"escape = '\"', columns = {{{types}}})",
            row => Enumerable.Range(0, row.FieldCount).Select(i => row.IsDBNull(i) ? null : row.GetString(i))
                .ToArray());
    }

    private static IEnumerable<ExportedRow> OfCsv(byte[] file)
    {
        foreach (var cells in CellsOfCsv(file)
            .Select(row => row.Select(cell => cell is ['\'', ..] ? cell[1..] : cell).ToArray()))
            yield return new(cells[0]!, long.Parse(cells[1]!, CultureInfo.InvariantCulture), cells[2]!, cells[3]!,
                cells[4]!,
                Time(cells[5]!), Time(cells[6]!), cells[7]);
    }

    private static IReadOnlyList<ExportedRow> OfParquet(byte[] file)
    {
        Assert.Equal(
            ["VARCHAR", "BIGINT", "VARCHAR", "VARCHAR", "VARCHAR", "TIMESTAMP WITH TIME ZONE",
                "TIMESTAMP WITH TIME ZONE", "VARCHAR"],
            Ask(file, path => $"select column_type from (describe select {Columns} from '{path}')",
                row => row.GetString(0)));
        return AskParquet(file, "true");
    }

    /// <summary>The rows of a Parquet file that meet a condition. DuckDB skips what cannot match.</summary>
    public static IReadOnlyList<ExportedRow> AskParquet(byte[] file, string condition) => Ask(file, path =>
        $"select {Columns.Replace("created, occurred", "epoch_us(created), epoch_us(occurred)")} from '{path}' where {condition}",
        row => new ExportedRow(row.GetString(0), row.GetInt64(1), row.GetString(2), row.GetString(3), row.GetString(4),
            DateTime.UnixEpoch.AddMicroseconds(row.GetInt64(5)), DateTime.UnixEpoch.AddMicroseconds(row.GetInt64(6)),
            row.IsDBNull(7) ? null : row.GetString(7)));

    private static List<T> Ask<T>(byte[] file, Func<string, string> question, Func<DbDataReader, T> map)
    {
        var path = Path.Combine(Path.GetTempPath(), $"tally-{Guid.NewGuid()}.parquet");
        File.WriteAllBytes(path, file);
        try
        {
            using var connection = new DuckDBConnection("Data Source=:memory:");
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "set preserve_insertion_order = true; " + question(path);
            using var rows = command.ExecuteReader();
            var result = new List<T>();
            while (rows.Read()) result.Add(map(rows));
            return result;
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static DateTime Time(string text)
    {
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\z", text);
        return DateTime.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal);
    }
}
