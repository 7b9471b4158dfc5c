using System.Globalization;
using System.Text;
using DuckDB.NET.Data;
using Tally.Tests.Harness;

namespace Tally.Tests.CommandLine;

/// <summary>app import of other tools' exports into a running service.</summary>
public sealed class ImportingFromTools(SharedApps apps) : IClassFixture<SharedApps>, IDisposable
{
    private const string Salt = "-salt=0123456789abcdef";

    private readonly string folder = Directory.CreateTempSubdirectory("tally-import-").FullName;
    private readonly string product = "site-" + Guid.NewGuid();

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory, EachStorage]
    public async Task An_access_log_is_imported_once_and_a_dry_run_sends_nothing(StorageKind storage)
    {
        var shared = await apps.On(storage);
        const int many = 2_500;
        var log = string.Concat(Enumerable.Range(0, many).Select(i => string.Create(CultureInfo.InvariantCulture,
            $"203.0.113.{i % 50} - - [02/Jan/2024:15:{i / 60 % 60:00}:{i % 60:00} +0000] \"GET /{i % 7} HTTP/1.1\" 200 5 \"-\" \"{TrackerRequests.Firefox}\"\n")))
            + "203.0.113.1 - - [02/Jan/2024:15:00:00 +0000] \"GET /a.css HTTP/1.1\" 200 5 \"-\" \"Mozilla/5.0\"\n";
        var file = await Write("access.log", log);
        string[] flags = ["-product", product, Salt];

        var (exitCode, output, error) = await Import(shared, file, [.. flags, "-dryRun"]);
        Assert.Equal((0, ""), (exitCode, error));
        Assert.Equal($"{many} events would be sent, 0 refused; left out: 1 of files\n"
            + $"from 2024-01-02T15:00:00Z to 2024-01-02T15:41:39Z\n        {many} view ({product})\n", output);
        Assert.Empty(await shared.Events(product));

        Assert.Equal((0, $"{many} events recorded, 0 were there before, 0 refused; left out: 1 of files\n", ""),
            await Import(shared, file, flags));
        Assert.Equal((0, $"0 events recorded, {many} were there before, 0 refused; left out: 1 of files\n", ""),
            await Import(shared, file, flags));
        var events = await shared.Events(product);
        Assert.Equal((many, 50), (events.Count, events.Select(e => e.Fingerprint).Distinct().Count()));
        Assert.DoesNotContain(events, e => e.Properties!.Contains("203.0.113", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_dry_run_needs_no_service_and_says_what_would_be_refused()
    {
        var file = await Write("export.csv",
            "2Path,Title,Event,UserAgent,Browser,System,Session,Bot,Referrer,Referrer scheme,Screen size,Location,FirstVisit,Date\n"
            + "/a,A,false,,,,abc,0,,,,,1,2024-01-02T03:04:05Z\n/a,A,false,,,,,0,,,,,1,2024-01-02T03:04:05Z\n");
        var (exitCode, output, error) =
            await AppProcess.Run(["import", "-dryRun", file, "-product", product, "-to", $"http://127.0.0.1:{FreePort.Next()}"]);
        Assert.Equal(1, exitCode);
        Assert.StartsWith("1 events would be sent, 1 refused\n", output);
        Assert.StartsWith($"{file}:3: missing_field: ", error);
    }

    [Theory, EachStorage]
    public async Task Ga4s_parquet_gives_the_same_events_as_its_ndjson(StorageKind storage)
    {
        var shared = await apps.On(storage);
        const string select = """
            select 1700000000000000 + i as event_timestamp, 'page_view' as event_name,
                case when i = 7 then null else 'visitor.' || (i % 3) end as user_pseudo_id, '42' as stream_id,
                [{'key': 'page_location', 'value': {'string_value': 'https://shop.example/' || i,
                     'int_value': null::bigint, 'double_value': null::double}},
                 {'key': 'n', 'value': {'string_value': null, 'int_value': i::bigint, 'double_value': null}},
                 {'key': 'x', 'value': {'string_value': null, 'int_value': null, 'double_value': i + 0.5}}
                ] as event_params,
                {'language': 'en-us', 'category': 'desktop', 'web_info': {'browser': 'Chrome'}} as device
            from range(0, 10) as rows(i)
            """;
        var (parquet, ndjson) = (folder + "/ga4.parquet", folder + "/ga4.ndjson");
        await WriteWith(select, parquet, "parquet");
        await WriteWith(select, ndjson, "json");
        const string leftOut = "; left out: 1 without user_pseudo_id (visitors who did not consent)\n";
        Assert.Equal((0, "9 events recorded, 0 were there before, 0 refused" + leftOut, ""),
            await Import(shared, parquet, ["-product", product]));
        Assert.Equal((0, "0 events recorded, 9 were there before, 0 refused" + leftOut, ""),
            await Import(shared, ndjson, ["-product", product]));
        var first = (await shared.Events(product)).Single(e => e["path"] == "/4");
        Assert.Equal(("view", "visitor.1", "4", "4.5", "en-us"),
            (first.Action, first.Fingerprint, first["n"], first["x"], first["language"]));

        // Several row groups, the last one not full.
        await WriteWith(select.Replace("range(0, 10)", "range(10, 5010)"), parquet, "parquet, row_group_size 2048");
        Assert.Equal((0, "5000 events recorded, 0 were there before, 0 refused\n", ""),
            await Import(shared, parquet, ["-product", product]));

        await File.WriteAllBytesAsync(parquet, (await File.ReadAllBytesAsync(parquet))[..^20]);
        var (exitCode, _, error) = await Import(shared, parquet, ["-product", product]);
        Assert.Equal(1, exitCode);
        Assert.Contains("cannot be read as Parquet", Assert.Single(error.TrimEnd().Split('\n')));

        await WriteWith("select 'view' as action, 'k8s' as product", parquet, "parquet");
        foreach (var format in (string[])["auto", "ga4", "tally"])
        {
            (exitCode, _, error) = await Import(shared, parquet, ["-format", format]);
            Assert.Equal(1, exitCode);
            Assert.Contains("this Parquet file is not GA4's export", Assert.Single(error.TrimEnd().Split('\n')));
        }
    }

    [Theory, EachStorage]
    public async Task Umamis_database_is_imported_with_its_events_own_properties(StorageKind storage)
    {
        var shared = await apps.On(storage);
        await using var source = await TestDatabase.Create(StorageKind.Postgres, apps.Server);
        await source.Execute($$"""
            create table session (session_id uuid primary key, website_id uuid, browser text, os text, device text,
                screen text, language text, country text, distinct_id text, created_at timestamptz);
            create table website_event (event_id uuid primary key, website_id uuid, session_id uuid, visit_id uuid,
                created_at timestamptz, url_path text, url_query text, referrer_path text, referrer_domain text,
                page_title text, event_type int, event_name text, tag text, hostname text);
            create table event_data (event_data_id uuid primary key, website_id uuid, website_event_id uuid,
                data_key text, string_value text, number_value numeric, date_value timestamptz, data_type int);
            insert into session values ('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-0000000000aa',
                'firefox', 'Linux', 'desktop', '1920x1080', 'en-US', 'DE', null, '2024-01-01');
            insert into website_event values
                ('00000000-0000-0000-0000-000000000011', '00000000-0000-0000-0000-0000000000aa',
                    '00000000-0000-0000-0000-000000000001', null, '2024-01-02 03:04:05+00', '/a', 'utm_source=mail',
                    '/x', 'news.example', 'A', 1, null, null, 'shop.example'),
                ('00000000-0000-0000-0000-000000000012', '00000000-0000-0000-0000-0000000000aa',
                    '00000000-0000-0000-0000-000000000001', null, '2024-01-02 03:05:05+00', '/a', '', null, null,
                    'A', 2, 'order', null, 'shop.example'),
                ('00000000-0000-0000-0000-000000000013', '00000000-0000-0000-0000-0000000000aa',
                    '00000000-0000-0000-0000-000000000001', null, '2024-01-02 03:05:06+00', '/a', '', null, null,
                    'A', 3, null, null, null),
                ('00000000-0000-0000-0000-000000000014', '00000000-0000-0000-0000-0000000000aa',
                    '00000000-0000-0000-0000-000000000001', null, '2024-01-02 03:05:07+00', '/a', '', null, null,
                    'A', 5, null, null, 'shop.example');
            alter table website_event add lcp decimal(10, 1);
            update website_event set lcp = 1234.5 where event_type = 5;
            insert into event_data values
                ('00000000-0000-0000-0000-000000000021', null, '00000000-0000-0000-0000-000000000012',
                    'total', '9.5', 9.5, null, 2),
                ('00000000-0000-0000-0000-000000000022', null, '00000000-0000-0000-0000-000000000012',
                    'plan', 'pro', null, null, 1),
                ('00000000-0000-0000-0000-000000000023', null, '00000000-0000-0000-0000-000000000012',
                    'gift', 'true', null, null, 3);
            """);
        var settings = new Npgsql.NpgsqlConnectionStringBuilder(source.Url);
        var url = $"postgres://{settings.Username}:{Uri.EscapeDataString(settings.Password ?? "")}@{settings.Host}:{settings.Port}/{settings.Database}";
        foreach (var (recorded, repeated) in ((int, int)[])[(3, 0), (0, 3)])
        {
            Assert.Equal((0, $"{recorded} events recorded, {repeated} were there before, 0 refused; "
                + "left out: 1 of links and pixels\n", ""),
                await Import(shared, url, ["-format=umami", "-product", product]));
            await source.Execute("update session set distinct_id = 'ada'"); // as its site may at any time
        }
        var events = await shared.Events(product);
        var (view, order) = (events.Single(e => e.Action == "view"), events.Single(e => e.Action == "order"));
        Assert.Equal(("00000000-0000-0000-0000-000000000001", "/a", "mail", "news.example", "1536", "en-US"),
            (view.Fingerprint, view["path"], view["utm_source"], view["referrer"], view["screen"], view["language"]));
        Assert.Equal("1234.5", events.Single(e => e.Action == "performance")["lcp"]);
        Assert.Equal(("9.5", "pro", "True"), (order["total"], order["plan"], order["gift"]));
        var (exitCode, _, error) = await Import(shared, url, ["-format=goatcounter", "-product", product]);
        Assert.Equal(1, exitCode);
        Assert.Contains("the format goatcounter is read from files, not from a database", error);
        (exitCode, _, error) = await Import(shared, url, ["-product", product]);
        Assert.Equal(1, exitCode);
        Assert.Contains("the table names its products itself", error);
    }

    [Theory]
    [InlineData("-format: expected auto, or one of tally, ", "import", "x", "-format=sekret")]
    [InlineData("-salt: expected at least 16 characters", "import", "x", "-salt=sekret")]
    public async Task A_mistake_in_its_flags_is_one_line(string message, params string[] arguments)
    {
        var (exitCode, output, error) = await AppProcess.Run(arguments);
        Assert.Equal((2, ""), (exitCode, output));
        Assert.Contains(message, Assert.Single(error.TrimEnd().Split('\n')));
        Assert.DoesNotContain("sekret", error);
    }

    // By another program than the one that reads it.
    private static async Task WriteWith(string select, string path, string format)
    {
        await using var connection = new DuckDBConnection("Data Source=:memory:");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = $"copy ({select}) to '{path}' (format {format})";
        await command.ExecuteNonQueryAsync();
    }

    private static Task<(int ExitCode, string Output, string Error)> Import(
        Shared shared, string source, string[] flags) =>
        AppProcess.Run(["import", source, "-to", $"http://127.0.0.1:{shared.App.Port}", .. flags]);

    private async Task<string> Write(string name, string content)
    {
        var path = Path.Combine(folder, name);
        await File.WriteAllTextAsync(path, content, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        return path;
    }
}
