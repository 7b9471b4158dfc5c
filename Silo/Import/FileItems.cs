using Tally.Silo.Storage;

namespace Tally.Silo.Import;

/// <summary>The events of a file: NDJSON or CSV, by its name or else by its content.</summary>
internal static class FileItems
{
    // After so many events without a time, and none with one, no time will be found.
    private const int EventsWithoutTimeMax = 100;

    /// <exception cref="StartupException">The file cannot be read, or not any further.</exception>
    public static async IAsyncEnumerable<Item> Read(Stream source, string name, TimeChoice times)
    {
        var (text, isTranscoded) = await Guarded(() => SourceText.Open(source));
        var records = new RecordReader(text);
        var parser = new RecordParser(records, name, times) { IsTranscoded = isTranscoded };
        var untimed = new List<long>();
        var isTimed = times.NowWhereMissing;
        while (await Guarded(records.ReadRecord) is { } record)
        {
            if (parser.Parse(record) is not { } item) continue;
            if (item.Json is null || item.HasTime || times.NowWhereMissing)
            {
                if (item.Json is not null && !isTimed)
                {
                    isTimed = true;
                    foreach (var line in untimed) yield return Item.WithoutTime(line);
                }
                yield return item;
            }
            else if (isTimed) yield return Item.WithoutTime(item.Line);
            else
            {
                untimed.Add(item.Line);
                if (untimed.Count == EventsWithoutTimeMax) break;
            }
        }
        if (!isTimed && untimed is [var first, ..])
            throw new StartupException($"no event has a time, from line {first} on: {TimeChoice.Advice}");
    }

    private static async ValueTask<T> Guarded<T>(Func<ValueTask<T>> read)
    {
        try
        {
            return await read();
        }
        catch (Exception exception)
            when (exception is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"cannot be read to its end: {exception.Message}", exception);
        }
    }
}
