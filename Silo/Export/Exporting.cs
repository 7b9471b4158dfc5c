using System.Diagnostics;
using System.Text;
using System.Text.Json;
using nietras.SeparatedValues;
using Tally.Silo.Http.Exports;
using Tally.Silo.Import;
using Tally.Silo.Storage;

namespace Tally.Silo.Export;

/// <summary>
/// Brings what the service exports to a target. Rows are written when they are whole, so that one that breaks off goes on
/// after the last of them; Parquet, which is nothing without its end, begins again.
/// </summary>
/// <param name="source">Where from.</param>
/// <param name="target">Where to.</param>
/// <param name="format">One of <see cref="ExportFormat.Names"/>.</param>
/// <param name="tally">Kept while it runs.</param>
internal sealed class Exporting(ExportSource source, ExportTarget target, string format, ExportTally tally)
{
    // Without anything new for so long it ends. A rolling restart, or a database that is started again, takes less.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    private readonly MemoryStream last = new(); // the last row that is written
    private bool begun;

    private bool IsCsv => format == ExportFormat.Csv;

    /// <exception cref="StartupException">The service refuses, or does not answer any more; or the target cannot be written.</exception>
    public async Task Run()
    {
        var (silent, pause) = (Stopwatch.StartNew(), FirstPause);
        for (var bytes = tally.Bytes; ; await Task.Delay(pause), pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            try
            {
                await source.Read(last.Length > 0 ? CursorOf(last) : null, format == ExportFormat.Parquet ? CopyAll : CopyRows);
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
                    throw new StartupException($"the service does not answer{(begun ? " any more" : "")}: {exception.Message}", exception);
                }
                if (format == ExportFormat.Parquet) BeginAgain();
            }
        }
    }

    private void BeginAgain()
    {
        if (tally.Bytes == 0) return;
        if (!target.TryBeginAgain())
            throw new StartupException("the service broke off, and what is written cannot be taken back: export Parquet to a file");
        tally.Bytes = 0;
    }

    private async Task CopyAll(Stream answer)
    {
        begun = true;
        var buffer = new byte[1 << 16];
        for (int read; (read = await answer.ReadAsync(buffer)) > 0; tally.Bytes += read) target.Write(buffer.AsSpan(0, read));
    }

    private async Task CopyRows(Stream answer)
    {
        var records = new RecordReader(answer) { Separator = IsCsv ? (byte)',' : null };
        var isHeader = IsCsv;
        while (await records.Next() is { } record)
        {
            if (record.Problem is { } problem) throw new StartupException($"the service answers what is no CSV: {problem}");
            if (record.Text is not { } text) throw new StartupException($"a row is longer than {RecordReader.RecordBytesMax} bytes");
            if (!isHeader) Keep(text.Span);
            if (!isHeader || !begun) Write(text.Span);
            (isHeader, begun) = (false, true);
        }
        begun = true;
    }

    private void Keep(ReadOnlySpan<byte> row)
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
            using var reader = Sep.New(',').Reader(options => options with { HasHeader = false, Unescape = true }).FromText(Encoding.UTF8.GetString(text));
            reader.MoveNext();
            return new(CsvFormat.WithoutMark(reader.Current[0].ToString()), reader.Current[1].Parse<long>());
        }
        var json = JsonElement.Parse(text);
        return new(json.GetProperty("fingerprint").GetString()!, json.GetProperty("sequence").GetInt64());
    }
}
