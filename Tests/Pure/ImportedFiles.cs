using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Tally.Silo.Import;
using Tally.Silo.Storage;

namespace Tally.Tests.Pure;

/// <summary>What an import reads out of a file: events, lines that are none, and ids that a repeat gives again.</summary>
public sealed class ImportedFiles
{
    private const string Event = """{"action":"view","product":"k8s","fingerprint":"XYZ"}""";

    [Theory]
    [InlineData("events.ndjson", Event + "\n" + Event + "\n")]
    [InlineData("events", "\uFEFF" + Event + "\r\n\r\n  \n" + Event)]
    [InlineData("events.csv", "action,product,fingerprint\nview,k8s,XYZ\nview,k8s,XYZ\n")]
    [InlineData("-", "fingerprint;other;product;action\r\nXYZ;;k8s;view\r\n\r\n\"XYZ\";\"a\r\nb\";\"k8s\";view")]
    [InlineData("EVENTS.TSV", "\uFEFFproduct\tid\taction\tfingerprint\nk8s\t\tview\tXYZ\nk8s\t\tview\tXYZ")]
    public async Task Ndjson_and_csv_are_the_same_events_also_in_gzip(string name, string text)
    {
        foreach (var (bytes, called) in ((byte[], string)[])[(Utf8(text), name), (Gzip(Utf8(text)), name + ".gz"), (Gzip(Utf8(text)), name)])
        {
            var items = await Read(bytes, called);
            Assert.Equal(2, items.Count);
            Assert.All(items, item => Assert.Equal(("view", "k8s", "XYZ"), (Field(item, "action"), Field(item, "product"), Field(item, "fingerprint"))));
            Assert.NotEqual(Field(items[0], "id"), Field(items[1], "id"));
        }
    }

    [Fact]
    public async Task A_cell_may_hold_what_separates_cells_and_lines_and_an_empty_one_is_no_field()
    {
        var item = Assert.Single(await Read(Utf8("""
            id,action,product,fingerprint,timestamp,properties
            7,"say ""hi"", twice",k8s,"a
            b",,"{""plan"": ""a,b""}"
            """), "x.csv"));
        Assert.Equal(("7", "say \"hi\", twice", "a\nb"), (Field(item, "id"), Field(item, "action"), Field(item, "fingerprint")));
        Assert.Equal("a,b", Json(item).GetProperty("properties").GetProperty("plan").GetString());
        Assert.False(Json(item).TryGetProperty("timestamp", out _));
    }

    [Fact]
    public async Task What_is_no_event_is_told_with_its_line_and_the_rest_is_read()
    {
        var ndjson = await Read([.. Utf8($"{Event}\n\nnonsense\n[1]\n\"text\"\n{{\"id\":1,\"id\":2}}\n{{\"\\ud800\":1}}\n"), 0xFF, .. Utf8($"\n{Event}{Event}\n{Event}")], "x.ndjson");
        Assert.Equal([3L, 4, 5, 6, 7, 8, 9], ndjson.Where(item => item.Problem is not null).Select(item => item.Line));
        Assert.Equal([1L, 10], ndjson.Where(item => item.Json is not null).Select(item => item.Line));

        var csv = await Read([.. Utf8("action,product,fingerprint,properties\nview,k8s\na,b,c,d,e\n\"a\nb\",k8s,XYZ,\nview,k8s,XYZ,nonsense\n"), 0xFF,
            .. Utf8(",k8s,XYZ,\nview,k8s,XYZ,\nview,k8s,\"XYZ,\n")], "x.csv");
        Assert.Equal([2L, 3, 6, 7, 9], csv.Where(item => item.Problem is not null).Select(item => item.Line));
        Assert.Equal([4L, 8], csv.Where(item => item.Json is not null).Select(item => item.Line));
    }

    [Theory]
    [InlineData("x.ndjson", Event, "\"", "")]
    [InlineData("x.csv", "view,k8s,XYZ,", "\"", "action,product,fingerprint,other\n")] // a quote that is never closed
    [InlineData("x.csv", "view,k8s,XYZ,", "", "action,product,fingerprint,other\n")]
    public async Task A_line_that_is_too_long_is_skipped_alone(string name, string line, string quote, string header)
    {
        var first = header.Length > 0 ? 2 : 1;
        foreach (var excess in (int[])[1, 5 * RecordReader.RecordBytesMax])
        {
            var huge = quote + new string('x', RecordReader.RecordBytesMax + excess - quote.Length);
            var items = await Read(Utf8($"{header}{line}\n{huge}\n{line}\n{huge}"), name);
            Assert.Equal([(long)first, first + 2], items.Where(item => item.Problem is null).Select(item => item.Line));
            Assert.Equal([(long)first + 1, first + 3], items.Where(item => item.Problem is not null).Select(item => item.Line));
            Assert.All(items.Where(item => item.Problem is not null), item => Assert.Contains("longer than", item.Problem));
        }
    }

    [Fact]
    public async Task The_longest_line_is_read_wherever_the_reads_of_the_file_end()
    {
        var line = $$"""{"action":"view","product":"k8s","fingerprint":"XYZ","other":"{{new string('x', RecordReader.RecordBytesMax - 65)}}"}""";
        Assert.Equal(RecordReader.RecordBytesMax, line.Length + 1);
        var items = await Read(Utf8($"{line} \n{Event}\n{line} "), "x.ndjson");
        Assert.Equal([1L, 2, 3], items.Where(item => item.Problem is null).Select(item => item.Line));
    }

    [Theory]
    [InlineData("x.csv", "action,product\nview,k8s", "the header has no column fingerprint")]
    [InlineData("x", "nonsense\n", "the header has no column action")]
    [InlineData("x.csv", "action,action,product,fingerprint\n", "the header has the column action twice")]
    [InlineData("x", "[\n{}]", "the header has no column action")]
    public async Task A_file_that_is_neither_ends_the_import(string name, string text, string message) =>
        Assert.Contains(message, (await Assert.ThrowsAsync<StartupException>(() => Read(Utf8(text), name))).Message);

    [Fact]
    public async Task A_gzip_that_breaks_off_or_is_damaged_ends_the_import()
    {
        var whole = Gzip(Utf8(string.Concat(Enumerable.Range(0, 10_000).Select(i => $$"""{"action":"{{i}}"}""" + "\n"))));
        var damaged = whole.ToArray();
        damaged[whole.Length / 2] ^= 0xFF;
        foreach (var bytes in (byte[][])[whole[..^9], whole[..(whole.Length / 2)], whole[..3], damaged])
            Assert.Contains("cannot be read to its end", (await Assert.ThrowsAsync<StartupException>(() => Read(bytes, "x.gz"))).Message);
    }

    [Fact]
    public async Task An_empty_file_has_no_events()
    {
        foreach (var bytes in (byte[][])[[], Gzip([]), Utf8("\n\n"), Utf8("action,product,fingerprint")])
            Assert.Empty(await Read(bytes, "x"));
    }

    [Fact]
    public async Task The_same_file_has_the_same_ids_also_when_it_was_renamed_compressed_or_has_grown()
    {
        const string file = Event + "\nnonsense\n" + Event + "\n";
        var ids = await Ids(Utf8(file), "a.ndjson");
        Assert.Equal(ids, await Ids(Gzip(Utf8(file.Replace("\n", "\r\n"))), "-"));
        Assert.Equal(ids, (await Ids(Utf8(file + Event), "b"))[..2]);
        Assert.Empty(ids.Intersect(await Ids(Utf8(Event.Replace("XYZ", "other") + "\nnonsense\n" + Event), "a.ndjson")));
    }

    [Fact]
    public async Task An_id_of_its_own_stays_and_created_is_the_time_where_there_is_no_other()
    {
        var items = await Read(Utf8("""
            {"id":"order-17","created":"2020-01-01T00:00:00Z"}
            {"id":null,"created":"2020-01-01T00:00:00Z","timestamp":"2021-01-01T00:00:00Z"}
            """), "x");
        Assert.Equal(("order-17", "2020-01-01T00:00:00Z"), (Field(items[0], "id"), Field(items[0], "timestamp")));
        Assert.Equal((64, "2021-01-01T00:00:00Z"), (Field(items[1], "id").Length, Field(items[1], "timestamp")));
    }

    [Theory]
    [InlineData("x.ndjson", """{"properties":{"text": "Käse \u00e4\/",  "n":1.50}}""")]
    [InlineData("x.csv", "action,product,fingerprint,properties\na,b,c,\"{\"\"text\"\": \"\"Käse \\u00e4\\/\"\",  \"\"n\"\":1.50}\"")]
    public async Task Properties_keep_their_own_text(string name, string text) =>
        Assert.Equal("""{"text": "Käse \u00e4\/",  "n":1.50}""", Json(Assert.Single(await Read(Utf8(text), name))).GetProperty("properties").GetRawText());

    private static async Task<List<Item>> Read(byte[] bytes, string name)
    {
        var items = new List<Item>();
        await foreach (var item in FileItems.Read(new Dribble(bytes), name)) items.Add(item);
        return items;
    }

    private static async Task<string[]> Ids(byte[] bytes, string name) =>
        [.. (await Read(bytes, name)).Where(item => item.Json is not null).Select(item => Field(item, "id"))];

    private static JsonElement Json(Item item) => JsonSerializer.Deserialize<JsonElement>(item.Json!);
    private static string Field(Item item, string name) => Json(item).GetProperty(name).GetString()!;
    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    private static byte[] Gzip(byte[] bytes)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest)) gzip.Write(bytes);
        return compressed.ToArray();
    }

    // As a pipe gives its bytes: never as many as asked for.
    private sealed class Dribble(byte[] bytes) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, Math.Max(1, (int)(Position % 1_021)))], cancellationToken);
    }
}
