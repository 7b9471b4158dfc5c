using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using nietras.SeparatedValues;
using Tally.Silo.Http.Exports;
using Tally.Silo.Import;
using Tally.Silo.Storage;

namespace Tally.Silo.Export;

/// <summary>The counts of an export so far.</summary>
internal sealed class ExportTally
{
    /// <summary>Rows; null for Parquet, whose rows are not seen.</summary>
    public long? Rows;

    /// <summary>Bytes before compression.</summary>
    public long Bytes;

    public override string ToString() => Rows is { } rows
        ? string.Create(CultureInfo.InvariantCulture, $"{rows} events exported, {Bytes} bytes")
        : string.Create(CultureInfo.InvariantCulture, $"{Bytes} bytes exported");
}

/// <summary>
/// Writes a service's export to a target. Only whole rows are written, so an export that breaks off continues after the
/// last one. Parquet cannot be read without its end, so it starts again.
/// </summary>
internal sealed class Exporting(ExportSource source, ExportTarget target, string format, ExportTally tally)
{
    // The export fails after so long without new bytes: longer than a restart of the service or the database takes.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    private readonly MemoryStream last = new(); // the last row that was written
    private bool begun;

    private bool IsCsv => format == ExportFormat.Csv;

    /// <exception cref="StartupException">The service refuses or no longer answers, or writing fails.</exception>
    public async Task Run()
    {
        var (silent, pause) = (Stopwatch.StartNew(), FirstPause);
        for (var bytes = tally.Bytes; ; await Task.Delay(pause),
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            try
            {
                await source.Read(last.Length > 0 ? CursorOf(last) : null,
                    format == ExportFormat.Parquet ? CopyAll : CopyRows);
                target.Complete();
                return;
            }
            catch (AnswerLostException exception)
            {
                if (tally.Bytes > bytes)
                {
                    silent.Restart();
                    (bytes, pause) = (tally.Bytes, FirstPause);
                }
                else if (!begun && !exception.IsAnswer || silent.Elapsed > Patience)
                {
                    throw new StartupException(
                        $"the service does not answer{(begun ? " any more" : "")}: {exception.Message}", exception);
                }
                if (format == ExportFormat.Parquet) StartAgain();
            }
        }
    }

    private void StartAgain()
    {
        if (tally.Bytes == 0) return;
        if (!target.TryClear())
            throw new StartupException(
                "the service broke off, and the target cannot be cleared: export Parquet to a file");
        tally.Bytes = 0;
    }

    private async Task CopyAll(Stream answer)
    {
        begun = true;
        var buffer = new byte[1 << 16];
        for (int read; (read = await answer.ReadAsync(buffer)) > 0; tally.Bytes += read)
            target.Write(buffer.AsSpan(0, read));
    }

    private async Task CopyRows(Stream answer)
    {
        var records = new RecordReader(answer) { Separator = IsCsv ? (byte)',' : null };
        var isHeader = IsCsv;
        while (await records.ReadRecord() is { } record)
        {
            if (record.Problem is { } problem) throw new StartupException($"the answer is not CSV: {problem}");
            if (record.Text is not { } text)
                throw new StartupException($"a row is longer than {RecordReader.RecordBytesMax} bytes");
            if (!isHeader) Remember(text.Span);
            if (!isHeader || !begun) Write(text.Span);
            (isHeader, begun) = (false, true);
        }
        begun = true;
    }

    private void Remember(ReadOnlySpan<byte> row)
    {
        last.SetLength(0);
        last.Write(row);
        tally.Rows++;
    }

    private void Write(ReadOnlySpan<byte> line)
    {
        var end = IsCsv ? "\r\n"u8 : "\n"u8;
        target.Write(line);
        target.Write(end);
        tally.Bytes += line.Length + end.Length;
    }

    private ExportCursor CursorOf(MemoryStream row)
    {
        var text = row.GetBuffer().AsSpan(0, (int)row.Length);
        if (IsCsv)
        {
            using var reader =
                Sep.New(',').Reader(options => options with { HasHeader = false, Unescape = true })
                    .FromText(Encoding.UTF8.GetString(text));
            reader.MoveNext();
            return new(CsvRows.WithoutMark(reader.Current[0].ToString()), reader.Current[1].Parse<long>());
        }
        var json = JsonElement.Parse(text);
        return new(json.GetProperty("fingerprint").GetString()!, json.GetProperty("sequence").GetInt64());
    }
}
