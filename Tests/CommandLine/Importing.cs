using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Tally.Tests.Harness;

namespace Tally.Tests.CommandLine;

/// <summary>app import of real files into a running service.</summary>
public sealed class Importing(SharedApps apps) : IClassFixture<SharedApps>, IDisposable
{
    private const int Events = 2_500; // several batches, the last one not full
    private const int Fingerprints = 40;

    private readonly string folder = Directory.CreateTempSubdirectory("tally-import-").FullName;
    private readonly string visitor = "visitor-" + Guid.NewGuid();

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory, EachStorage]
    public async Task A_file_is_imported_once_however_often_and_in_whatever_shape_it_comes(StorageKind storage)
    {
        var shared = await apps.On(storage);
        var text = string.Concat(Enumerable.Range(0, Events).Select(i => Ndjson(i)));
        var (file, gzip) = (await Write("events.ndjson", Utf8(text)), await Write("renamed.gz", Gzip(text)));
        await AssertImported(shared, file, recorded: Events, repeated: 0);
        await AssertImported(shared, file, recorded: 0, repeated: Events);
        await AssertImported(shared, gzip, recorded: 0, repeated: Events);
        await AssertImported(shared, "-", recorded: 0, repeated: Events, Utf8(text));
        await File.AppendAllTextAsync(file, Ndjson(Events)); // like a log that grows
        await AssertImported(shared, file, recorded: 1, repeated: Events);
        Assert.Equal(Events + 1, await Rows(shared));

        var view = (await shared.App.View(visitor + "-0")).Body;
        Assert.Equal((Events + Fingerprints - 1) / Fingerprints, view.GetProperty("total").GetInt64());
        Assert.Equal(new(2019, 1, 1, 0, 0, 0, DateTimeKind.Utc), view.GetProperty("firstSeen").GetDateTime());
    }

    [Theory, EachStorage]
    public async Task A_csv_file_of_the_service_before_is_imported_with_its_ids_and_times(StorageKind storage)
    {
        var shared = await apps.On(storage);
        var csv = new StringBuilder("id,action,product,fingerprint,created,properties\n");
        for (var i = 0; i < Events; i++)
        {
            csv.Append(CultureInfo.InvariantCulture,
                $"{visitor}-{i},\"view, \"\"again\"\"\",k8s,{visitor}-{i % Fingerprints},");
            csv.Append(CultureInfo.InvariantCulture, $"2019-01-01 00:00:{i % 60:00}.25+00,\"{{\"\"i\"\":{i}}}\"\r\n");
        }
        var file = await Write("events.csv", Utf8(csv.ToString()));
        await AssertImported(shared, file, recorded: Events, repeated: 0);
        var cutOff = await Write("part.csv", Utf8(csv.ToString(0, csv.Length / 2)));
        await AssertImported(shared, cutOff, recorded: 0, repeated: null, refused: 1);
        Assert.Equal(Events, await Rows(shared));

        var first =
            (await shared.App.Get(Requests.Path(visitor + "-0") + "/events?limit=1")).Body.GetProperty("events")[0];
        Assert.Equal(("view, \"again\"", """{"i":0}"""),
            (first.GetProperty("action").GetString(), first.GetProperty("properties").GetRawText()));
        Assert.Equal(new(2019, 1, 1, 0, 0, 0, 250, DateTimeKind.Utc), first.GetProperty("occurred").GetDateTime());
    }

    [Theory, EachStorage]
    public async Task What_cannot_be_imported_is_told_with_its_line_and_the_rest_is(StorageKind storage)
    {
        var shared = await apps.On(storage);
        string With(string field) => Ndjson(7).Replace("}", $", {field} }}");
        var file = await Write("bad.ndjson",
            Utf8(Ndjson(0) + "nonsense\n" + "{}\n" + Ndjson(7).Replace("2019", "2999")
                + Ndjson(7).Replace("\"k8s\"", "[7]")
            + new string('x', 3 << 20) + "\n" + Ndjson(1)
            + With($"\"properties\":{{\"text\":\"{new string('x', 40_000)}\"}}") + Ndjson(2)));
        var (exitCode, output, error) = await Import(shared, file);
        Assert.Equal((1, "3 events recorded, 0 were there before, 6 refused\n"), (exitCode, output));
        var told = error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal).ToList();
        string[] begins =
        [
            "2: This is not a JSON object", "3: The event has no time; -time=now", "4: out_of_range: ", "5: ",
            "6: The line is longer than ", "8: ",
        ];
        Assert.Equal(begins.Length, told.Count);
        Assert.All(begins.Index(), begin => Assert.StartsWith($"{file}:{begin.Item}", told[begin.Index]));
        Assert.Equal(3, await Rows(shared));
    }

    [Theory, EachStorage]
    public async Task A_file_that_is_corrected_counts_each_row_once(StorageKind storage)
    {
        var shared = await apps.On(storage);
        foreach (var isCsv in (bool[])[true, false])
        {
            string Row(int i, string time) => isCsv ? $"view,k8s,{visitor}-{isCsv},{i % 2},{time}\n"
                : $$"""{"action":"view","product":"k8s","fingerprint":"{{visitor}}-{{isCsv}}","n":{{i % 2}},"time":"{{time}}"}""" + "\n";
            async Task<string> Save(string third) =>
                await Write(isCsv ? "rows.csv" : "rows.ndjson",
                    Utf8((isCsv ? "action,product,fingerprint,n,time\n" : "")
                + Row(1, "2019-01-01") + Row(2, "2019-01-01") + third + Row(3, "2019-01-01") + Row(4, "2019-01-01")));
            await AssertImported(shared, await Save(Row(1, "2019-01-32")), recorded: 4, repeated: 0, refused: 1);
            await AssertImported(shared, await Save(""), recorded: 0, repeated: 4);
            await AssertImported(shared, await Save(Row(1, "2019-01-31")), recorded: 1, repeated: 4);
            Assert.Equal(5, await shared.Rows($"{visitor}-{isCsv}"));
        }
    }

    [Theory, EachStorage]
    public async Task A_file_without_times_is_not_dated_to_now_unless_told_to(StorageKind storage)
    {
        var shared = await apps.On(storage);
        var csv = await Write("rows.csv",
            Utf8($"action,product,fingerprint,happened\nview,k8s,{visitor},2019-01-01\nview,k8s,{visitor},2019-01-02\n"));
        var ndjson =
            await Write("rows.ndjson",
                Utf8($$"""{"action":"view","product":"k8s","fingerprint":"{{visitor}}","happened":"2019-01-03T00:00:00Z"}"""));
        foreach (var (file, flag, message) in ((string, string, string)[])
                 [
                     (csv, "-time=auto",
                         "the header has no column for the time: name it with -time=NAME, or use -time=now"),
                     (ndjson, "-time=auto",
                         "no event has a time, from line 1 on: name it with -time=NAME, or use -time=now"),
                     (csv, "-time=created", "the header has no column created"),
                 ])
        {
            var (exitCode, output, error) = await Import(shared, file, flags: [flag]);
            Assert.Equal((1, "0 events recorded, 0 were there before, 0 refused\n"), (exitCode, output));
            AssertOneLine(error, message);
        }
        Assert.Equal(0, await Rows(shared));
        Assert.Equal((0, "2 events recorded, 0 were there before, 0 refused\n", ""),
            await Import(shared, csv, flags: ["-time=happened"]));
        Assert.Equal((0, "1 events recorded, 0 were there before, 0 refused\n", ""),
            await Import(shared, ndjson, flags: ["-time", "happened"]));
        Assert.Equal((0, "0 events recorded, 2 were there before, 0 refused\n", ""),
            await Import(shared, csv, flags: ["-time=now"]));
        var events =
            (await shared.App.Get(Requests.Path(visitor) + "/events")).Body.GetProperty("events").EnumerateArray();
        Assert.Equal([1, 2, 3],
            events.Select(e => e.GetProperty("occurred").GetDateTime())
                .Select(time => time.Year == 2019 ? time.Day : 0));
    }

    [Theory, EachStorage]
    public async Task A_spreadsheets_unicode_text_is_imported(StorageKind storage)
    {
        var shared = await apps.On(storage);
        var text = $"Event\tProduct\tUser ID\tDate\r\nKäse 55\"\tk8s\t{visitor}\t2019-01-01\r\n";
        var file = await Write("sheet.txt", [.. Encoding.Unicode.GetPreamble(), .. Encoding.Unicode.GetBytes(text)]);
        await AssertImported(shared, file, recorded: 1, repeated: 0);
        await AssertImported(shared, await Write("utf-8.tsv", Utf8(text.Replace("\r\n", "\n"))), recorded: 0,
            repeated: 1);
        var e = (await shared.App.Get(Requests.Path(visitor) + "/events")).Body.GetProperty("events")[0];
        Assert.Equal("Käse 55\"", e.GetProperty("action").GetString());
    }

    [Theory, EachStorage]
    public async Task Rules_fire_for_what_is_imported_and_once(StorageKind storage)
    {
        var shared = await apps.On(storage);
        Assert.Equal(201, (await shared.App.PutRule("third",
            """{"when":{"event":{"product":"k8s","action":"view"},"count":{"every":3}},"how":"each"}""")).Status);
        var file = await Write("events.ndjson", Utf8(string.Concat(Enumerable.Range(0, 3 * Fingerprints).Select(Ndjson))));
        await AssertImported(shared, file, recorded: 3 * Fingerprints, repeated: 0);
        await AssertImported(shared, file, recorded: 0, repeated: 3 * Fingerprints);
        Assert.Equal(200, (await shared.App.Send(new(HttpMethod.Delete, "/api/rules/third"))).Status);
        Assert.Equal(Enumerable.Range(0, Fingerprints).Select(i => $"{visitor}-{i} 3").Order(),
            (await shared.App.Firings("rule=third")).Select(firing => firing.GetProperty("fingerprint").GetString() + " "
                + firing.GetProperty("sequence").GetInt64()).Order());
    }

    [Fact]
    public async Task A_line_that_the_service_refuses_its_whole_batch_for_is_told_and_the_others_are_recorded()
    {
        var shared = await apps.On(StorageKind.Sqlite);
        var deep = string.Concat(Enumerable.Repeat("{\"a\":", 500)) + "1" + new string('}', 500);
        var lines = Enumerable.Range(0, 300).Select(Ndjson).ToList();
        foreach (var i in (int[])[7, 200]) lines[i] = lines[i].Replace("}", $$""", "properties":{{deep}}}""");
        var file = await Write("deep.ndjson", Utf8(string.Concat(lines)));
        var (exitCode, output, error) = await Import(shared, file);
        Assert.Equal((1, "298 events recorded, 0 were there before, 2 refused\n"), (exitCode, output));
        var told = error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal([$"{file}:8", $"{file}:201"],
            told.Select(line => line[..line.IndexOf(": ", StringComparison.Ordinal)]));
    }

    [Fact]
    public async Task A_stray_quote_takes_no_other_row_with_it()
    {
        const int many = 20_000;
        var shared = await apps.On(StorageKind.Sqlite);
        var rows = string.Concat(
            Enumerable.Range(0, many).Select(i => $"view,k8s,{visitor}-{i % Fingerprints},2019-01-01\n"));
        var file = await Write("rows.csv",
            Utf8($"action,product,fingerprint,time\nTV 55\",k8s,{visitor},2019-01-01\n\"TV 55,k8s,{visitor},2019-01-01\n{rows}"));
        var (exitCode, output, error) = await Import(shared, file);
        Assert.Equal((1, $"{many + 1} events recorded, 0 were there before, 1 refused\n"), (exitCode, output));
        Assert.Equal($"{file}:3: The quote that opens a cell in line 3 is not closed, or not at the cell's end.\n",
            error);
    }

    [Fact]
    public async Task A_line_of_100_MB_takes_no_memory()
    {
        var shared = await apps.On(StorageKind.Sqlite);
        var line = new string('x', 100 << 20);
        foreach (var (name, begin, message) in ((string, string, string)[])
                 [
                     ("x.ndjson.gz", Ndjson(0), ":2: The line is longer than "),
                     ("x.csv.gz", "action,product,fingerprint,time\nview,k8s,v,\"", ":2: The line is longer than "),
                     ("x.gz", "", ": the first line is longer than "),
                 ])
        {
            var file = await Write(name, Gzip(begin + line));
            // a heap limit of 32 MB
            var (exitCode, _, error) =
                await AppProcess.Run(["import", file, .. To(shared.App)],
                    new() { ["DOTNET_GCHeapHardLimit"] = "0x2000000" });
            Assert.Equal(1, exitCode);
            Assert.Contains(message, Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries)));
        }
    }

    [Theory, EachStorage]
    public async Task Killed_in_the_middle_and_begun_again_it_counts_once(StorageKind storage)
    {
        const int many = 20_000;
        var shared = await apps.On(storage);
        var file = await Write("many.ndjson", Utf8(string.Concat(Enumerable.Range(0, many).Select(i => Ndjson(i)))));
        await using (var proxy = new HoldingProxy(shared.App.Port, bytes: 1))
            await AppProcess.RunAndKill(["import", file, "-to", $"{proxy.Url}"],
                () => Eventually.True(async () => await Rows(shared) > 0, "Nothing is recorded."));
        var (exitCode, output, error) = await Import(shared, file);
        Assert.Equal((0, ""), (exitCode, error));
        var counts = output.Split(' ').Where(word => char.IsAsciiDigit(word[0]))
            .Select(word => long.Parse(word, CultureInfo.InvariantCulture)).ToList();
        Assert.Equal((many, 0), (counts[0] + counts[1], counts[2]));
        Assert.InRange(counts[1], 1, many - 1);
        Assert.Equal(many, await Rows(shared));
    }

    [Theory, EachStorage]
    public async Task A_service_that_dies_and_comes_back_in_the_middle_does_not_end_it(StorageKind storage)
    {
        const int many = 8_000;
        await using var database = await TestDatabase.Create(storage, apps.Server);
        var app = await AppProcess.Start(database);
        var file = await Write("many.ndjson", Utf8(string.Concat(Enumerable.Range(0, many).Select(i => Ndjson(i)))));
        await using var proxy = new HoldingProxy(app.Port, bytes: 1);
        var importing = AppProcess.Run(["import", file, "-to", $"{proxy.Url}"]);
        await Eventually.True(async () => await Rows(new(app, database)) > 0, "Nothing is recorded.");
        await app.Kill();
        await app.DisposeAsync();
        await proxy.Cut();
        Assert.False(importing.IsCompleted);
        await using (app = await AppProcess.Start(database, AppProcess.ClusterOfItsOwn(), app.Port))
        {
            var (exitCode, output, error) = await importing;
            Assert.True(exitCode == 0, output + error);
            Assert.Equal(many, await Rows(new(app, database)));
            await app.Terminate();
        }
        await AppProcess.AssertVerifies(database);
    }

    [Theory, EachStorage]
    public async Task The_table_of_the_service_before_is_read_from_its_postgres(StorageKind storage)
    {
        var shared = await apps.On(storage);
        await using var source = await TestDatabase.Create(StorageKind.Postgres, apps.Server);
        await source.Execute($"""
            create table events (
                id uuid primary key default gen_random_uuid(), action text, product text, fingerprint text,
                created timestamp);
            insert into events (action, product, fingerprint, created)
            select 'view', 'k8s', '{visitor}-' || i % {Fingerprints}, timestamp '2019-01-01' + i * interval '1 second'
            from generate_series(0, {Events - 1}) i;
            insert into events (action, product, fingerprint, created)
            values (null, 'k8s', '{visitor}', now()), ('view', 'k8s', '{visitor}', null),
                ('view', 'k8s', '{visitor}', '20000-01-01');
            """);
        var url = Url(source);
        for (var i = 0; i < 2; i++)
        {
            var (exitCode, output, error) = await Import(shared, url);
            var (recorded, repeated) = i == 0 ? (Events, 0) : (0, Events);
            Assert.Equal((1, $"{recorded} events recorded, {repeated} were there before, 3 refused\n"),
                (exitCode, output));
            var told = error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.Equal(3, told.Length);
            Assert.Contains(told, line => line.Contains($":{Events + 1}: missing_field: ", StringComparison.Ordinal));
            Assert.Contains(told,
                line => line.Contains($":{Events + 2}: The time is not in the years", StringComparison.Ordinal));
            Assert.Contains(told,
                line => line.Contains($":{Events + 3}: The event has no time; -time=now", StringComparison.Ordinal));
            Assert.DoesNotContain(LocalPostgres.Password, error);
        }
        Assert.StartsWith($"1 events recorded, {Events} were there before, 2 refused",
            (await Import(shared, url, flags: ["-time=now"])).Output);
        Assert.Equal(Events + 1, await Rows(shared));
        var view = (await shared.App.View(visitor + "-0")).Body;
        Assert.Equal(new(2019, 1, 1, 0, 0, 0, DateTimeKind.Utc), view.GetProperty("firstSeen").GetDateTime());
        var events =
            (await shared.App.Get(Requests.Path(visitor + "-1") + "/events")).Body.GetProperty("events")
                .EnumerateArray();
        Assert.Equal(
            await source.Query($"select id from events where fingerprint = '{visitor}-1' order by created",
                row => row.GetGuid(0)),
            events.Select(e => e.GetProperty("id").GetGuid()));
    }

    [Fact]
    public async Task On_a_terminal_it_shows_a_bar_and_above_it_what_is_refused()
    {
        const string script = "/usr/bin/script";
        Assert.SkipUnless(File.Exists(script),
            "A terminal needs script: install it (Debian: apt-get install bsdutils).");
        var shared = await apps.On(StorageKind.Sqlite);
        var file = await Write("events.ndjson", Utf8(Ndjson(0) + "nonsense\n" + Ndjson(1)));
        var command = $"TERM=xterm {AppProcess.Binary} import {file} {string.Join(' ', To(shared.App))}";
        var (exitCode, output) = await Commands.Try(script, "-qec", command, "/dev/null");
        Assert.Equal(1, exitCode);
        Assert.Contains($"{file}:2: This is not a JSON object", output);
        Assert.Contains("100%", output);
        Assert.Contains("2 events recorded, 0 were there before, 1 refused", output);
    }

    [Fact]
    public async Task What_cannot_be_read_is_one_line()
    {
        var shared = await apps.On(StorageKind.Sqlite);
        await using var empty = await TestDatabase.Create(StorageKind.Postgres, apps.Server);
        File.CreateSymbolicLink(folder + "/dangling", folder + "/none");
        var binary = new byte[10_000];
        new Random(1).NextBytes(binary);
        foreach (var (source, message) in ((string, string)[])
                 [
                     (folder + "/none.csv", "cannot be read: "), (folder, "cannot be read: it is a folder"),
                     ("", "cannot be read: "),
                     (folder + "/dangling", "cannot be read: "),
                     (typeof(Importing).Assembly.Location + "/x.csv", "cannot be read: "),
                     ("/proc/self/mem", "cannot be read to its end: "), ("/dev/zero", "this is not text"),
                     (await Write("binary.csv", binary), ""),
                     (AppProcess.Binary, "this is not text"),
                     (await Write("tail.gz", [.. Gzip(Ndjson(0)), .. Utf8(Ndjson(1))]), "something else follows"),
                     (await Write("two.gz", [.. Gzip(Ndjson(0)), .. Gzip(Ndjson(1))[..^4]]), "breaks off, at byte "),
                     (await Write("latin-1.csv", Encoding.Latin1.GetBytes("action,product,fingerprint,Käse\n")),
                         "the header is not UTF-8"),
                     (await Write("text.txt", Utf8("a text\n")), "the header has no column action"),
                     (await Write("half.gz", Gzip(Ndjson(0))[..^4]), "cannot be read to its end: "),
                     (Url(empty), "relation \"events\" does not exist"),
                     ("postgres://tally:sekret@127.0.0.1:1/db", "cannot be read: "),
                 ])
        {
            var (exitCode, _, error) = await Import(shared, source);
            Assert.Equal(1, exitCode);
            AssertOneLine(error, message);
        }
    }

    [Fact]
    public async Task A_pipe_that_ends_early_is_read_as_far_as_it_goes()
    {
        var shared = await apps.On(StorageKind.Sqlite);
        var (half, pipe) = (await Write("half", Utf8(Ndjson(0) + Ndjson(1)[..20])), folder + "/pipe");
        await Commands.Run("mkfifo", pipe);
        var writing = Commands.Run("sh", "-c", $"cat {half} > {pipe}");
        var (exitCode, output, error) = await Import(shared, pipe);
        await writing;
        Assert.Equal((1, "1 events recorded, 0 were there before, 1 refused\n"), (exitCode, output));
        Assert.Equal($"{pipe}:2: This is not a JSON object.\n", error);
        Assert.Equal((1, "0 events recorded, 1 were there before, 1 refused\n", "-:2: This is not a JSON object.\n"),
            await Import(shared, "-", await File.ReadAllBytesAsync(half)));
        Assert.Equal((0, "0 events recorded, 0 were there before, 0 refused\n", ""), await Import(shared, "-", []));
    }

    [Fact]
    public async Task A_service_that_is_away_is_one_line()
    {
        var file = await Write("events.ndjson", Utf8(Ndjson(0)));
        var (exitCode, output, error) =
            await AppProcess.Run(["import", file, "-host=127.0.0.1", "-port", $"{FreePort.Next()}"]);
        Assert.Equal((1, ""), (exitCode, output));
        AssertOneLine(error, "does not answer: ");
    }

    [Theory]
    [InlineData("Required argument missing", "import")]
    [InlineData("an argument that is neither", "import", "a", "sekret")]
    [InlineData("the source: expected a file, - or a postgres:// URL", "import", "https://u:sekret@h/x")]
    [InlineData("the source: the parameter 'bogus' is unknown", "import", "postgres://u:sekret@h/db?bogus=sekret")]
    [InlineData("-to: expected an http:// or https:// URL", "import", "x", "-to=ftp://sekret")]
    [InlineData("-to: expected an http:// or https:// URL", "import", "x", "-to=http://u:sekret@h")]
    [InlineData("-key: expected a key", "import", "x", "-key=sekret\nx")]
    [InlineData("-key: expected a key", "import", "x", "-key=sekretä")]
    [InlineData("-time: expected a column's", "import", "x", "-time", "")]
    [InlineData("-to: there is no such flag", "-to=http://x")]
    public async Task A_mistake_in_its_arguments_is_one_line(string message, params string[] arguments)
    {
        var (exitCode, output, error) = await AppProcess.Run(arguments);
        Assert.Equal((2, ""), (exitCode, output));
        AssertOneLine(error, message);
    }

    [Theory, EachStorage]
    public async Task Only_an_import_brings_what_is_older_than_the_limit(StorageKind storage)
    {
        var shared = await apps.On(storage);
        foreach (var (query, recorded) in ((string, int)[])[("", 0), ("?history=false", 0), ("?history=true", 1)])
        {
            var answer = await shared.App.Send(new(HttpMethod.Post, "/api/events/batch" + query)
            {
                Content = new StringContent(Ndjson(0), Encoding.UTF8, "application/x-ndjson"),
            });
            Assert.Equal((200, recorded), (answer.Status, answer.Body.GetProperty("recorded").GetInt32()));
            var refused =
                answer.Body.GetProperty("refused").EnumerateArray()
                    .Select(item => item.GetProperty("reason").GetString());
            Assert.Equal(recorded == 0 ? ["out_of_range"] : [], refused);
        }
    }

    private async Task AssertImported(Shared shared, string source, int recorded, int? repeated, byte[]? input = null,
        int refused = 0)
    {
        var (exitCode, output, error) = await Import(shared, source, input);
        Assert.True(exitCode == (refused == 0 ? 0 : 1), error);
        Assert.StartsWith($"{recorded} events recorded, {repeated}", output);
        Assert.EndsWith($" were there before, {refused} refused\n", output);
    }

    private static Task<(int ExitCode, string Output, string Error)> Import(Shared shared, string source,
        byte[]? input = null, string[]? flags = null) =>
        AppProcess.Run(["import", source, .. To(shared.App), .. flags ?? []], input: input);

    private static string[] To(AppProcess app) => ["-to", $"http://127.0.0.1:{app.Port}"];

    private async Task<long> Rows(Shared shared) => (await shared.Database.Query(
        $"select count(*) from events where fingerprint like '{visitor}%'", row => row.GetInt64(0)))[0];

    private string Ndjson(int i) => JsonSerializer.Serialize(new
    {
        action = "view", product = "k8s", fingerprint = $"{visitor}-{i % Fingerprints}",
        timestamp = $"2019-01-01T00:{i / 60 % 60:00}:{i % 60:00}Z",
    }) + "\n";

    private async Task<string> Write(string name, byte[] content)
    {
        var path = Path.Combine(folder, name);
        await File.WriteAllBytesAsync(path, content);
        return path;
    }

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    private static byte[] Gzip(string text)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest)) gzip.Write(Utf8(text));
        return compressed.ToArray();
    }

    private static string Url(TestDatabase database)
    {
        var settings = new Npgsql.NpgsqlConnectionStringBuilder(database.Url);
        return $"postgres://{settings.Username}:{Uri.EscapeDataString(settings.Password ?? "")}@{settings.Host}:{settings.Port}/{settings.Database}";
    }

    private static void AssertOneLine(string error, string message)
    {
        Assert.StartsWith("app: ", error);
        Assert.Contains(message, error);
        Assert.Equal(error.Length - 1, error.IndexOf('\n'));
        Assert.DoesNotContain("sekret", error);
    }
}
