using System.Globalization;
using System.IO.Compression;
using System.Text.Json;
using Tally.Tests.Harness;

namespace Tally.Tests.CommandLine;

/// <summary>app export from a running service, and app import of its files.</summary>
public sealed class Exporting(SharedApps apps) : IClassFixture<SharedApps>, IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("tally-export-").FullName;
    private readonly string product = "product-" + Guid.NewGuid();

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory, EachStorage]
    public async Task What_is_exported_is_imported_into_another_database_with_the_same_counts(StorageKind storage)
    {
        var shared = await apps.On(storage);
        await Post(shared.App);
        var other = storage == StorageKind.Sqlite ? StorageKind.Postgres : StorageKind.Sqlite;
        var lines = "";
        foreach (var name in (string[])["events.ndjson", "events.csv", "events.csv.gz"])
        {
            var file = Path.Combine(folder, name);
            var (exitCode, output, error) = await Export(shared.App, file, "-product", product);
            Assert.Equal((0, ""), (exitCode, error));
            Assert.StartsWith("63 events exported, ", output);
            Assert.Equal(file, Assert.Single(Directory.GetFiles(folder)));
            if (name.EndsWith(".ndjson", StringComparison.Ordinal)) lines = await File.ReadAllTextAsync(file);

            var back = await AppProcess.Run(["import", file, "-to", Url(shared.App)]);
            Assert.Equal((0, "0 events recorded, 63 were there before, 0 refused\n", ""), back);

            await using var database = await TestDatabase.Create(other, apps.Server);
            await using (var app = await AppProcess.Start(database))
            {
                for (var i = 0; i < 2; i++)
                {
                    var import = await AppProcess.Run(["import", file, "-to", Url(app)]);
                    Assert.Equal((0,
                        i == 0 ? "63 events recorded, 0 were there before, 0 refused\n"
                            : "0 events recorded, 63 were there before, 0 refused\n"),
                        (import.ExitCode, import.Output));
                }
                var again = await Export(app, "-");
                Assert.Equal(Rows(lines), Rows(again.Output));
                foreach (var fingerprint in Fingerprints)
                    Assert.Equal(Counts((await shared.App.View(fingerprint)).Body),
                        Counts((await app.View(fingerprint)).Body));
                Assert.Equal(0, await app.Terminate());
            }
            await AppProcess.AssertVerifies(database);
            File.Delete(file);
        }

        static IEnumerable<ExportedRow> Rows(string text) =>
            ExportedRow.OfNdjson(text).Select(row => row with { Created = default });
        static string Counts(JsonElement view) => view.ToString();
    }

    [Fact]
    public async Task Flags_choose_the_rows_the_format_and_where_they_go()
    {
        var (app, _) = await apps.On(StorageKind.Sqlite);
        await Post(app);
        var (exitCode, output, error) =
            await Export(app, "-", "-product", product, "-since=2000-01-01",
                $"-until={DateTime.UtcNow.AddDays(1):yyyy-MM-dd}");
        Assert.Equal((0, 63), (exitCode, ExportedRow.OfNdjson(output).Count));
        Assert.StartsWith("63 events exported, ", error); // to standard error, not among the rows
        Assert.Equal("fingerprint,sequence,id,action,product,created,occurred,properties\r\n",
            (await Export(app, "-", "-format=csv", "-until=2000-01-01")).Output);

        foreach (var (name, format) in ((string, string)[])[("a.ndjson", "ndjson"), ("b.JSONL", "ndjson"),
            ("c.csv", "csv"), ("d.parquet", "parquet"), ("e.csv.gz", "csv")])
        {
            var file = Path.Combine(folder, name);
            await File.WriteAllTextAsync(file, new string('x', 100_000)); // must be replaced
            Assert.Equal(0, (await Export(app, file, "-product", product)).ExitCode);
            var bytes = await File.ReadAllBytesAsync(file);
            if (name.EndsWith(".gz", StringComparison.Ordinal))
            {
                using var plain = new MemoryStream();
                await new GZipStream(new MemoryStream(bytes), CompressionMode.Decompress).CopyToAsync(plain);
                bytes = plain.ToArray();
            }
            Assert.Equal(63, ExportedRow.Read(format, bytes).Count);
        }
        var parquet = Path.Combine(folder, "no-name");
        Assert.Equal(0, (await Export(app, parquet, "-format", "parquet", "-product", product)).ExitCode);
        Assert.Equal(63, ExportedRow.Read("parquet", await File.ReadAllBytesAsync(parquet)).Count);
        Assert.Equal(0, (await Export(app, "/dev/null", "-format=csv")).ExitCode);
        Assert.False(File.Exists("/dev/null.partial"));

        var (pipe, copy) = (folder + "/pipe", folder + "/copy");
        await Commands.Run("mkfifo", pipe);
        var reading = Commands.Run("sh", "-c", $"cat {pipe} > {copy}");
        Assert.Equal(0, (await Export(app, pipe, "-format=csv", "-product", product)).ExitCode);
        await reading;
        Assert.Equal(63, ExportedRow.Read("csv", await File.ReadAllBytesAsync(copy)).Count);
    }

    [Fact]
    public async Task What_cannot_be_done_is_one_line_and_leaves_what_was_there()
    {
        const string key = "sekret-0123456789abcdef";
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, apps.Server);
        await using var app = await AppProcess.Start(database, new() { ["APP_READ_KEYS"] = key });
        var file = Path.Combine(folder, "events.ndjson");
        await File.WriteAllTextAsync(file, "before");
        foreach (var (path, message, flags) in ((string, string, string[])[])
                 [
                     (file, "refuses the export: 401 missing_key: ", []), (file, "401 unknown_key", ["-key=sekret-x"]),
                     (file, "does not answer: ", ["-from", $"http://127.0.0.1:{FreePort.Next()}"]),
                     (folder, "cannot be written: ", ["-format=csv"]),
                     ("/dev/full", "cannot be written: ", ["-format=csv", $"-key={key}"]),
                     (file + "/events.csv", "cannot be written: ", []), ("", "cannot be written: ", ["-format=csv"]),
                     (folder + "/none/events.csv", "cannot be written: ", []),
                 ])
        {
            var (exitCode, output, error) = await Export(app, path, flags);
            Assert.Equal((1, ""), (exitCode, output));
            AssertOneLine(error, message);
        }
        Assert.Equal("before", await File.ReadAllTextAsync(file));
        Assert.Equal(0, (await Export(app, file, "-key", key)).ExitCode);
        Assert.Equal("", await File.ReadAllTextAsync(file));
        Assert.Equal([file], Directory.GetFiles(folder));
    }

    [Theory]
    [InlineData("Required argument missing", "export")]
    [InlineData("the file: its name does not end in", "export", "events.txt")]
    [InlineData("-format: expected ndjson, csv, parquet or auto", "export", "x", "-format=sekret")]
    [InlineData("-since: expected a day", "export", "-", "-since=sekret")]
    [InlineData("-until: expected a day", "export", "-", "-until=2026-02-30")]
    [InlineData("-from: expected an http:// or https:// URL", "export", "-", "-from=ftp://sekret")]
    [InlineData("-from: expected an http:// or https:// URL", "export", "-", "-from=https://u:sekret@h")]
    [InlineData("-key: expected a key", "export", "-", "-key=sek ret")]
    [InlineData("-until: there is no such flag", "-until=2026-01-01")]
    public async Task A_mistake_in_its_arguments_is_one_line(string message, params string[] arguments)
    {
        var (exitCode, output, error) = await AppProcess.Run(arguments);
        Assert.Equal((2, ""), (exitCode, output));
        AssertOneLine(error, message);
    }

    [Fact]
    public async Task On_a_terminal_it_shows_a_bar()
    {
        const string script = "/usr/bin/script";
        Assert.SkipUnless(File.Exists(script),
            "A terminal needs script: install it (Debian: apt-get install bsdutils).");
        var (app, _) = await apps.On(StorageKind.Sqlite);
        await Post(app);
        var command = $"TERM=xterm {AppProcess.Binary} export {folder}/events.csv -product {product} -from {Url(app)}";
        var (exitCode, output) = await Commands.Try(script, "-qec", command, "/dev/null");
        Assert.Equal(0, exitCode);
        Assert.Contains("━", output);
        Assert.Contains("100%", output);
        Assert.Contains("63 events exported", output);
    }

    private string[] Fingerprints =>
        [.. ((string[])["=a", "'b", "c,\"d\"", "日本", "e", "-f", "g"]).Select(begin => begin + product)];

    private async Task Post(AppProcess app)
    {
        var events = Enumerable.Range(0, 63).Select(i => JsonSerializer.Serialize(new
        {
            action = i % 3 == 0 ? "@buy" : "view", product, fingerprint = Fingerprints[i % 7],
            id = i % 2 == 0 ? $"{i}" : Guid.NewGuid().ToString(),
            timestamp = DateTime.UtcNow.AddHours(-i).ToString("O", CultureInfo.InvariantCulture),
            properties = i % 5 == 0 ? null : new { i, text = "=x,\"y\"\n'z" },
        }));
        var answer = await app.PostBatch($"[{string.Join(',', events)}]");
        Assert.True(answer.Status == 200 && answer.Body.GetProperty("recorded").GetInt32() == 63,
            answer.Body.ToString());
    }

    private static Task<(int ExitCode, string Output, string Error)> Export(AppProcess app, string file,
        params string[] flags) =>
        AppProcess.Run(["export", file, .. flags.Contains("-from") ? flags : ["-from", Url(app), .. flags]]);

    private static string Url(AppProcess app) => $"http://127.0.0.1:{app.Port}";

    private static void AssertOneLine(string error, string message)
    {
        Assert.StartsWith("app: ", error);
        Assert.Contains(message, error);
        Assert.Equal(error.Length - 1, error.IndexOf('\n'));
        Assert.DoesNotContain("sekret", error);
    }
}
