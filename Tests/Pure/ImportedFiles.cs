using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Tally.Silo.Import;
using Tally.Silo.Storage;

namespace Tally.Tests.Pure;

/// <summary>
/// What an import reads from a file: events, lines that are not events, and ids that another import gives again.
/// </summary>
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
        foreach (var (bytes, called) in ((byte[], string)[])[(Utf8(text), name), (Gzip(Utf8(text)), name + ".gz"),
            (Gzip(Utf8(text)), name)])
        {
            var items = await Read(bytes, called);
            Assert.Equal(2, items.Count);
            Assert.All(items,
                item => Assert.Equal(("view", "k8s", "XYZ"),
                    (Field(item, "action"), Field(item, "product"), Field(item, "fingerprint"))));
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
        Assert.Equal(("7", "say \"hi\", twice", "a\nb"),
            (Field(item, "id"), Field(item, "action"), Field(item, "fingerprint")));
        Assert.Equal("a,b", Json(item).GetProperty("properties").GetProperty("plan").GetString());
        Assert.False(Json(item).TryGetProperty("timestamp", out _));
    }

    [Fact]
    public async Task What_is_no_event_is_told_with_its_line_and_the_rest_is_read()
    {
        var ndjson =
            await Read([.. Utf8($"{Event}\n\nnonsense\n[1]\n\"text\"\n{{\"id\":1,\"id\":2}}\n{{\"\\ud800\":1}}\n"),
                0xFF, .. Utf8($"\n{Event}{Event}\n{Event}")], "x.ndjson");
        Assert.NotNull(Assert.Single(await Read(Utf8("""{"time":"\ud800"}"""), "x.ndjson")).Problem);
        Assert.Equal([3L, 4, 5, 6, 8, 9], ndjson.Where(item => item.Problem is not null).Select(item => item.Line));
        Assert.Equal([1L, 7, 10], ndjson.Where(item => item.Json is not null).Select(item => item.Line));

        var csv = await Read(
            [.. Utf8("action,product,fingerprint,properties\nview,k8s\na,b,c,d,e\n\"a\nb\",k8s,XYZ,\nview,k8s,XYZ,nonsense\n"), 0xFF,
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
            Assert.Equal([(long)first + 1, first + 3],
                items.Where(item => item.Problem is not null).Select(item => item.Line));
            Assert.All(items.Where(item => item.Problem is not null),
                item => Assert.Contains("longer than", item.Problem));
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
    [InlineData("x.csv", "action,action,product,fingerprint\n", "the header: action is there twice")]
    [InlineData("x", "[\n{}]", "the header has no column action")]
    [InlineData("x.csv", "action,product,user_id,visitor_id\n",
        "the header: user_id and visitor_id may both be the fingerprint")]
    [InlineData("x.ndjson", """{"action":"a","product":"p","event_name":"b","event":"c"}""" + "\n", null)]
    [InlineData("x.ndjson", """{"event_name":"b","event":"c"}""" + "\n",
        "line 1: event_name and event may both be the action")]
    [InlineData("x.csv", "a\0c\0t\0", "this is not text")]
    public async Task A_file_that_is_neither_ends_the_import(string name, string text, string? message)
    {
        if (message is null) Assert.Equal("a", Field(Assert.Single(await Read(Utf8(text), name)), "action"));
        else Assert.Contains(message,
            (await Assert.ThrowsAsync<StartupException>(() => Read(Utf8(text), name))).Message);
    }

    [Fact]
    public async Task A_gzip_that_breaks_off_or_is_damaged_ends_the_import()
    {
        var whole =
            Gzip(Utf8(string.Concat(Enumerable.Range(0, 10_000).Select(i => $$"""{"action":"{{i}}"}""" + "\n"))));
        var damaged = whole.ToArray();
        damaged[whole.Length / 2] ^= 0xFF;
        foreach (var (bytes, message) in ((byte[], string)[])
                 [
                     (whole[..^9], "breaks off, at byte "), (whole[..(whole.Length / 2)], "breaks off, at byte "),
                     (whole[..3], "breaks off, at byte 3"),
                     (damaged, "is damaged, at about byte "), ([.. whole, .. Utf8(Event)], "something else follows"),
                     ([.. whole, .. damaged], "is damaged"),
                 ])
        {
            var told = (await Assert.ThrowsAsync<StartupException>(() => Read(bytes, "x.gz"))).Message;
            Assert.StartsWith("cannot be read to its end: ", told);
            Assert.Contains(message, told);
        }
        Assert.Equal(20_000, (await Read([.. whole, .. whole], "x.gz")).Count);
    }

    [Fact]
    public async Task An_empty_file_has_no_events()
    {
        foreach (var bytes in (byte[][])[[], Gzip([]), Utf8("\n\n"), Utf8("action,product,fingerprint")])
            Assert.Empty(await Read(bytes, "x"));
    }

    [Theory]
    [InlineData("a.ndjson", "")]
    [InlineData("a.csv", "action,product,fingerprint,other\n")]
    public async Task A_row_without_an_id_has_one_of_its_own_text_and_of_how_often_that_came_before(string name,
        string header)
    {
        var isCsv = header.Length > 0;
        string Row(string fingerprint) =>
            isCsv ? $"view,k8s,{fingerprint},\"a\nb\"\n" : Event.Replace("XYZ", fingerprint) + "\n";
        var file = header + Row("1") + Row("2") + "nonsense\n" + Row("1") + Row("3");
        var ids = await Ids(Utf8(file), name);
        Assert.Equal(4, ids.Distinct().Count());

        // The ids do not depend on the file's name, compression, encoding or line ends, or on rows added at its end.
        Assert.Equal(ids, await Ids(Gzip(Utf8(file.Replace("\n", "\r\n"))), "-"));
        Assert.Equal(ids, await Ids(Utf8(file.Replace("\n", "\r")), "b"));
        Assert.Equal(ids, await Ids([.. Encoding.Unicode.GetPreamble(), .. Encoding.Unicode.GetBytes(file)], name));
        Assert.Equal(ids, (await Ids(Utf8(file + Row("1") + Row("4")), name))[..4]);

        // Correcting, adding or removing a row does not change the others' ids.
        var corrected = await Ids(Utf8(file.Replace("nonsense\n", Row("5"))), name);
        Assert.Equal<string[]>(ids, [.. corrected[..2], .. corrected[3..]]);
        Assert.DoesNotContain(corrected[2], ids);
        Assert.Equal(ids, await Ids(Utf8(file.Replace("nonsense\n", "")), name));
        Assert.Equal<string[]>([ids[0], ids[2], ids[3]], await Ids(Utf8(file.Replace(Row("2"), "")), name));
        Assert.Equal(ids, (await Ids(Utf8(header + Row("6") + file[header.Length..]), name))[1..]);

        // Of identical rows it does not matter which one is removed.
        Assert.Equal<string[]>([ids[1], ids[0], ids[3]],
            await Ids(Utf8(header + file[(header + Row("1")).Length..]), name));
    }

    [Fact]
    public async Task Rows_of_files_with_other_headers_are_others()
    {
        var one = await Ids(Utf8("action,product,fingerprint\na,b,c\n"), "x.csv");
        var other = await Ids(Utf8("product,action,fingerprint\na,b,c\n"), "x.csv");
        Assert.NotEqual(Assert.Single(one), Assert.Single(other));
    }

    [Fact]
    public async Task Many_rows_that_are_the_same_have_an_id_each()
    {
        const int many = 20_000;
        var file = Utf8(string.Concat(Enumerable.Repeat(Event + "\n", many)));
        var ids = await Ids(file, "x.ndjson");
        Assert.Equal(many, ids.Distinct().Count());
        Assert.Equal(ids[..(many - 1)], await Ids(file[..^(Event.Length + 1)], "x.ndjson"));
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
    [InlineData("x.csv",
        "action,product,fingerprint,properties\na,b,c,\"{\"\"text\"\": \"\"Käse \\u00e4\\/\"\",  \"\"n\"\":1.50}\"")]
    public async Task Properties_keep_their_own_text(string name, string text) =>
        Assert.Equal("""{"text": "Käse \u00e4\/",  "n":1.50}""",
            Json(Assert.Single(await Read(Utf8(text), name))).GetProperty("properties").GetRawText());

    public static TheoryData<string> Encodings => new("utf-8", "utf-16", "utf-16BE", "utf-32", "utf-32BE");

    [Theory, MemberData(nameof(Encodings))]
    public async Task Unicode_is_read_by_its_byte_order_mark(string encodingName)
    {
        var encoding = Encoding.GetEncoding(encodingName);
        const string text = "action\tproduct\tfingerprint\tid\r\nKäse\t日本\t\U0001F600\t1\r\nb\tk8s\tXYZ\t2";
        byte[] bytes = [.. encoding.GetPreamble(), .. encoding.GetBytes(text)];
        foreach (var file in (byte[][])[bytes, Gzip(bytes)])
        {
            var items = await Read(file, "unicode.txt");
            Assert.Equal(["1", "2"], items.Select(item => Field(item, "id")));
            Assert.Equal(("Käse", "日本", "\U0001F600"),
                (Field(items[0], "action"), Field(items[0], "product"), Field(items[0], "fingerprint")));
        }
    }

    [Fact]
    public async Task A_row_that_is_broken_in_utf_16_is_refused_alone()
    {
        const string text = "action,product,fingerprint\na,b,c\na,b,\uD83D\na,b,c\n";
        var items =
            await Read([.. Encoding.Unicode.GetPreamble(), .. text.SelectMany(c => BitConverter.GetBytes(c)),
                (byte)'a'], "x.csv");
        Assert.Equal([3L, 5], items.Where(item => item.Problem is not null).Select(item => item.Line));
        Assert.Equal([2L, 4], items.Where(item => item.Json is not null).Select(item => item.Line));
    }

    [Theory]
    [InlineData("\n"), InlineData("\r\n"), InlineData("\r")]
    public async Task Lines_end_in_each_of_the_three_ways(string end)
    {
        foreach (var name in (string[])["x.csv", "x"])
        {
            var items =
                await Read(Utf8(
                    string.Join(end, "action,product,fingerprint", "a,b,c", "", "nonsense", $"a,b,\"c{end}d\"",
                        "a,b,c")), name);
            Assert.Equal([(2L, true), (4, false), (5, true), (7, true)],
                items.Select(item => (item.Line, item.Json is not null)));
            Assert.Equal($"c{end}d", Field(items[2], "fingerprint"));
        }
        Assert.Equal([1L, 3, 4],
            (await Read(Utf8(string.Join(end, Event, "", "nonsense", Event)), "x.ndjson")).Select(item => item.Line));
    }

    [Fact]
    public async Task A_quote_inside_a_cell_is_a_character_and_between_tabs_always()
    {
        foreach (var (name, separator) in ((string, char)[])[("x.csv", ','), ("x.csv", ';'), ("x.tsv", '\t'),
            ("x", '\t')])
        {
            string Row(string first) => string.Join(separator, first, "k8s", "XYZ") + "\n";
            var rows = string.Concat(Enumerable.Repeat(Row("view"), 100));
            string[] cells = separator == '\t' ? ["TV 55\"", "\"a", "\"b\"", "c\""] : ["TV 55\"", "a\"b\"c", "c\"\""];
            var items =
                await Read(Utf8(Row("action").Replace("k8s", "product").Replace("XYZ", "fingerprint")
                    + string.Concat(cells.Select(cell => Row(cell) + rows))), name);
            Assert.Equal(cells.Length * 101, items.Count);
            Assert.Equal(cells, items.Select(item => Field(item, "action")).Where(action => action != "view"));
        }
    }

    [Theory]
    [InlineData("\"TV 55,k8s,XYZ\n", "")] // never closed
    [InlineData("\"TV 55,k8s,XYZ\n", "\"view\",k8s,XYZ\n")] // closed where the next one opens
    [InlineData("\"TV\" 55,k8s,XYZ\n", "")] // closed in the middle of a cell
    [InlineData("a,\"k8s,XYZ\n", "b,k8s\",XYZ,c\n")] // closed after too many columns
    [InlineData("\"a\",\"k8s,XYZ\n", "\"view\",\"k8s\",\"XYZ\"\n")]
    public async Task A_quote_that_opens_a_cell_and_does_not_close_it_costs_its_own_line(string line, string later)
    {
        const string row = "view,k8s,XYZ\n";
        var (rows, longer) = (string.Concat(Enumerable.Repeat(row, 1_000)),
            string.Concat(Enumerable.Repeat(row, 90_000)));
        foreach (var after in (string[])[rows, longer])
        {
            var items = await Read(Utf8("action,product,fingerprint\n" + rows + line + rows + later + after), "x.csv");
            var refused = items.Where(item => item.Problem is not null).ToList();
            Assert.Equal(1_002, refused[0].Line);
            Assert.Contains(refused.Count == 1 || later.Contains("XYZ,c") ? "1002" : "quote",
                refused[0].Problem! + refused[0].Line);
            Assert.InRange(refused.Count, 1, 2);
            Assert.All(refused.Skip(1), item => Assert.Equal(2_003, item.Line));
            Assert.Equal(2_000 + after.Length / row.Length + (later.Length > 0 ? 1 : 0) + 1, items.Count);
        }
    }

    [Fact]
    public async Task Lines_full_of_quotes_are_read_to_the_end_and_none_for_ever()
    {
        foreach (var line in (string[])["a,\"b\n", "\"a\nb\",\"c\nd\",\"e\n", "\"\"\"\n", "x,\"\n\"", "\"a\"b\n\"",
            "\"\"a,\"\"\"\n"])
        {
            var text = "action,product,fingerprint\n"
                + string.Concat(Enumerable.Repeat(line, 3 * RecordReader.RecordBytesMax / line.Length));
            var source = new MemoryStream(Utf8(text));
            var records = new RecordReader(source) { Separator = (byte)',' };
            for (long last = 0; await records.ReadRecord() is { } record; last = record.Line)
                Assert.True(record.Line > last);
            Assert.Equal(text.Length, source.Position);
        }
    }

    [Theory]
    [InlineData("Timestamp"), InlineData("created_at"), InlineData("createdAt"), InlineData("Created At"),
        InlineData("date"), InlineData("@timestamp")]
    [InlineData("occurred"), InlineData("OCCURRED_AT"), InlineData("time"), InlineData("ts"), InlineData("event_time"),
        InlineData("DateTime"), InlineData("created")]
    public async Task The_time_is_found_by_its_usual_names_in_any_case(string name)
    {
        foreach (var (file, bytes) in ((string, byte[])[])
                 [
                     ("x.csv", Utf8($"action,product,fingerprint,{name}\na,b,c,2020-01-02 03:04:05\n")),
                     ("x.ndjson",
                         Utf8($$"""{"action":"a","product":"b","fingerprint":"c","{{name}}":"2020-01-02T03:04:05"}""")),
                 ])
            Assert.Equal("2020-01-02T03:04:05.0000000Z",
                Field(Assert.Single(await Read(bytes, file, TimeChoice.Found)), "timestamp"));
    }

    [Fact]
    public async Task Of_several_times_the_names_of_the_service_win_and_others_are_ambiguous()
    {
        foreach (var (names, chosen) in ((string, int?)[])
                 [
                     ("created_at,timestamp", 1), ("Timestamp,timestamp", 1), ("timestamp,occurred,created", 0),
                     ("created,occurred", 1), ("CREATED,OCCURRED", 1),
                     ("date,time", null), ("created,created_at", null), ("ts,event_time,updated_at", null),
                     ("Timestamp,TIMESTAMP", null),
                 ])
        {
            var columns = names.Split(',');
            var cells = columns.Select((_, i) => $"2020-01-0{i + 1}T00:00:00Z").ToList();
            var csv = Utf8($"action,product,fingerprint,{names}\na,b,c,{string.Join(',', cells)}");
            var json = Utf8(
                JsonSerializer.Serialize(
                    columns.Zip(cells).Append(("action", "a")).ToDictionary(pair => pair.Item1, pair => pair.Item2)));
            foreach (var (bytes, file) in ((byte[], string)[])[(csv, "x.csv"), (json, "x.ndjson")])
            {
                if (chosen is { } index)
                {
                    Assert.StartsWith(cells[index][..10],
                        Field(Assert.Single(await Read(bytes, file, TimeChoice.Found)), "timestamp"));
                    continue;
                }
                var told = (await Assert.ThrowsAsync<StartupException>(() =>
                    Read(bytes, file, TimeChoice.Found))).Message;
                Assert.Contains($"{columns[0]} and {columns[1]} may both be the timestamp", told);
                Assert.StartsWith("2020-01-02",
                    Field(Assert.Single(await Read(bytes, file, new(columns[1], NowWhereMissing: false))),
                        "timestamp"));
            }
        }
    }

    [Fact]
    public async Task A_file_without_times_is_refused_unless_told_to_take_now()
    {
        var many = string.Concat(Enumerable.Repeat(Event + "\n", 1_000));
        foreach (var (file, text, message) in ((string, string, string)[])
                 [
                     ("x.csv", "action,product,fingerprint,when\na,b,c,2020-01-01\n",
                         "the header has no column for the time"),
                     ("x.csv", "action,product,fingerprint,time\na,b,c,\na,b,c,NULL\n",
                         "no event has a time, from line 2 on"),
                     ("x.ndjson", "nonsense\n" + Event, "no event has a time, from line 2 on"),
                     ("x.ndjson", many, "no event has a time, from line 1 on"),
                 ])
        {
            var told = (await Assert.ThrowsAsync<StartupException>(() =>
                Read(Utf8(text), file, TimeChoice.Found))).Message;
            Assert.StartsWith(message, told);
            Assert.Contains("-time=now", told);
            Assert.All((await Read(Utf8(text), file)).Where(item => item.Json is not null),
                item => Assert.False(Json(item).TryGetProperty("timestamp", out _)));
        }
        Assert.Contains("the header has no column when", (await Assert.ThrowsAsync<StartupException>(
            () => Read(Utf8("action,product,fingerprint,time\n"), "x.csv",
                new("when", NowWhereMissing: false)))).Message);

        // If other events have a time, only those without one are refused.
        var timed = Event.Replace("}", ""","time":"2020-01-01"}""");
        var items =
            await Read(Utf8(string.Join('\n', Event, Event, timed, Event, timed)), "x.ndjson", TimeChoice.Found);
        Assert.Equal([(1L, false), (2, false), (3, true), (4, false), (5, true)],
            items.Select(item => (item.Line, item.Json is not null)));
        Assert.Contains("no time", items[0].Problem);
    }

    [Fact]
    public async Task Other_fields_are_found_by_their_usual_names_too()
    {
        var csv = await Read(Utf8("Event Name,PRODUCT,anonymousId,message_id,Properties,uuid\na,b,c,7,{},x\n"),
            "x.csv");
        var json = await Read(
            Utf8("""{"event":"a","Product":"b","user_id":"c","$insert_id":"7","props":{},"uuid":"x"}"""), "x.ndjson");
        foreach (var item in (Item[])[.. csv, .. json])
        {
            Assert.Equal(["action", "product", "fingerprint", "id", "properties"],
                Json(item).EnumerateObject().Select(field => field.Name));
            Assert.Equal(("a", "b", "c", "7"),
                (Field(item, "action"), Field(item, "product"), Field(item, "fingerprint"), Field(item, "id")));
        }
    }

    [Fact]
    public async Task What_databases_write_for_null_is_no_text_unless_an_export_of_the_service_has_it()
    {
        foreach (var nothing in (string[])["NULL", "null", "\\N", "\"NULL\"", ""])
        {
            var item = Assert.Single(
                await Read(Utf8(
                    $"id,action,product,fingerprint,time,properties\n{nothing},a,b,{nothing},{nothing},{nothing}\n"),
                    "x.csv"));
            Assert.Equal(["action", "product", "id"], Json(item).EnumerateObject().Select(field => field.Name));
            Assert.Equal(64, Field(item, "id").Length);
        }
        var exported = Assert.Single(await Read(Utf8("""
            fingerprint,sequence,id,action,product,created,occurred,properties
            NULL,1,6f9619ff-8b86-d011-b42d-00c04fc964ff,\N,null,2020-01-02T00:00:00.000000Z,2020-01-01T00:00:00.000000Z,
            """), "x.csv", TimeChoice.Found));
        Assert.Equal(("NULL", "\\N", "null"),
            (Field(exported, "fingerprint"), Field(exported, "action"), Field(exported, "product")));
        Assert.StartsWith("2020-01-01", Field(exported, "timestamp"));
    }

    [Fact]
    public async Task What_is_kept_of_no_event_is_not_judged_and_depth_is_the_services_to_judge()
    {
        var deep = string.Concat(Enumerable.Repeat("{\"a\":", 200)) + "1" + new string('}', 200);
        var item = Assert.Single(
            await Read(Utf8(
                Event.Replace("}", $$""","context":{{deep}},"x":1,"x":2,"\ud800":1,"properties":{{deep}}}""")),
                "x.ndjson"));
        Assert.Equal(["action", "product", "fingerprint", "id", "properties"],
            JsonElement.Parse(item.Json!, new() { MaxDepth = 1_000 }).EnumerateObject().Select(field => field.Name));
        Assert.NotNull(
            Assert.Single(
                await Read(Utf8($"action,product,fingerprint,properties\na,b,c,\"{deep.Replace("\"", "\"\"")}\"\n"),
                    "x.csv")).Json);
    }

    private static async Task<List<Item>> Read(byte[] bytes, string name, TimeChoice? times = null)
    {
        var items = new List<Item>();
        await foreach (var item in FileItems.Read(new Dribble(bytes), name, times ?? TimeChoice.Now)) items.Add(item);
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

    // Returns fewer bytes than asked for, as a pipe does.
    private sealed class Dribble(byte[] bytes) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, Math.Max(1, (int)(Position % 1_021)))], cancellationToken);
    }
}
