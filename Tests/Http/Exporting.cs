using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>Exports of the log's rows in every format.</summary>
public sealed class Exporting(SharedApps apps) : IClassFixture<SharedApps>
{
    private static readonly string[] Formats = ["ndjson", "csv", "parquet"];

    // Texts that a spreadsheet, a line, a cell or an encoding could change.
    private static readonly string[] Odd =
        ["=1+1", "+44", "-1", "@sum", "'quoted", "a,b", "say \"hi\"", ";", "\ud83c\udf89", "\uff76\u30ca", "日本",
            "a/b%2F", " ", "NULL", "7:x", "\u2028"];

    private static readonly string?[] OddProperties =
    [
        null, "{}", """{"a":null,"b":[1,{"c":"x, \"y\""}],"d":1.50e3}""", """{"text":"=1\r\n\t'"}""",
        "{\"p\":\"🎉 ü\\ud83c\\udf89\\u0001\"}", "  {\"indented\": 1 }  ",
        "\t{\"tab\":1}",
    ];

    // JSON on several lines, which becomes one line in NDJSON.
    private const string Lines = "\r\n{\n\"a\":\r\n1}\n";

    private readonly string product = "product-" + Guid.NewGuid();

    [Theory, EachStorage]
    public async Task Every_format_has_what_was_posted(StorageKind storage)
    {
        var (app, database) = await apps.On(storage);
        var posted = new List<ExportedRow>();
        foreach (var fingerprint in Odd)
            for (var i = 0; i < OddProperties.Length + 1; i++)
                posted.Add(new(fingerprint + product, i + 1, Guid.NewGuid().ToString(), Odd[(i + 3) % Odd.Length],
                    product, default,
                    Now.AddMicroseconds(-i * 1_234_567), i < OddProperties.Length ? OddProperties[i] : Lines));
        await Post(app, posted);
        posted.Sort((a, b) => InOrder(a).CompareTo(InOrder(b)));

        foreach (var format in Formats)
        {
            var (file, type) = await Export(app, $"product={product}&format={format}");
            Assert.Equal(format switch
            {
                "ndjson" => "application/x-ndjson",
                "csv" => "text/csv",
                _ => "application/vnd.apache.parquet"
            }, type);
            var rows = ExportedRow.Read(format, file);
            Assert.Equal(posted.Select(row => row with { Properties = Written(row.Properties, format) }),
                rows.Select(row => row with { Created = default }));
            Assert.All(rows,
                row => Assert.InRange(row.Created, DateTime.UtcNow.AddMinutes(-5), DateTime.UtcNow.AddMinutes(5)));
            if (format != "csv") continue;
            Assert.All(ExportedRow.CellsOfCsv(file).SelectMany(row => row),
                cell => Assert.False(cell is ['=' or '+' or '-' or '@' or '\t' or '\r', ..]));
            Assert.StartsWith("fingerprint,sequence,id,action,product,created,occurred,properties\r\n",
                Encoding.UTF8.GetString(file));
            Assert.EndsWith("\r\n", Encoding.UTF8.GetString(file));
        }

        static string InOrder(ExportedRow row) =>
            Convert.ToHexString(Encoding.UTF8.GetBytes(row.Fingerprint)) + $" {row.Sequence:d9}";

        static string? Written(string? properties, string format) =>
            format == "ndjson" ? properties?.Replace('\r', ' ').Replace('\n', ' ').Trim() : properties;
    }

    // Readers skip row groups by their statistics. In UTF-16 an emoji sorts before a halfwidth letter, in UTF-8 after
    // it.
    [Theory, EachStorage]
    public async Task A_reader_of_parquet_finds_every_fingerprint_and_time(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        string[] fingerprints = [.. ((string[])["\ud83c\udf89", "\uff76", "a"]).Select(begin => begin + product)];
        await Post(app, fingerprints.Select(fingerprint => new ExportedRow(
            fingerprint, 1, Guid.NewGuid().ToString(), "view", product, default, Now, null)));
        var (file, _) = await Export(app, $"product={product}&format=parquet");
        Assert.All(fingerprints,
            fingerprint => Assert.Single(ExportedRow.AskParquet(file, $"fingerprint = '{fingerprint}'")));
        Assert.Empty(ExportedRow.AskParquet(file, "fingerprint = 'b'"));
        foreach (var time in (string[])["created", "occurred"])
        {
            Assert.Equal(3, ExportedRow.AskParquet(file, $"{time} >= timestamptz '{Now.AddMinutes(-5):O}'").Count);
            Assert.Empty(ExportedRow.AskParquet(file, $"{time} < timestamptz '2020-01-01T00:00:00Z'"));
        }
    }

    [Theory, EachStorage]
    public async Task Time_product_and_cursor_choose_the_rows(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        var day = DateTime.UtcNow.Date.AddDays(-3);
        DateTime[] times = [day.AddMicroseconds(-1), day, day.AddHours(5), day.AddDays(1).AddMicroseconds(-1),
            day.AddDays(1)];
        await Post(app,
            times.Select((time, i) =>
                new ExportedRow(product, i + 1, Guid.NewGuid().ToString(), "view", product, default, time, null)));
        await Post(app, [new(product, 6, Guid.NewGuid().ToString(), "view", product + "-other", default, day, null)]);

        var (name, next) = ($"{day:yyyy-MM-dd}", $"{day.AddDays(1):yyyy-MM-dd}");
        foreach (var (query, sequences) in ((string, long[])[])
                 [
                     ("", [1, 2, 3, 4, 5]), ($"from={name}", [2, 3, 4, 5]), ($"to={name}", [1]),
                     ($"from={name}&to={next}", [2, 3, 4]),
                     ($"from={name}T05:00:00Z&to={name}T05:00:00.000001Z", [3]),
                     ($"from={name}T07:30:00%2B02:30", [3, 4, 5]),
                     ("from=0001-01-01&to=9999-12-31", [1, 2, 3, 4, 5]), ($"after=0:{product}", [1, 2, 3, 4, 5]),
                     ($"after=2:{product}", [3, 4, 5]),
                     ($"after=5:{product}", []), ($"after=9223372036854775807:{product}", []),
                     ($"from={name}&after=3:{product}&to={next}", [4]),
                     ($"after=1:{product}0", []), ($"after=4:{product}", [5]),
                 ])
            foreach (var format in Formats)
            {
                var (file, _) = await Export(app, $"{query}&product={product}&format={format}");
                Assert.Equal(sequences, ExportedRow.Read(format, file).Select(row => row.Sequence));
            }
        var (both, _) = await Export(app, $"after={Uri.EscapeDataString($"4:{product}")}");
        Assert.Equal([5L, 6L],
            ExportedRow.Read("ndjson", both).Where(row => row.Fingerprint == product).Select(row => row.Sequence));
    }

    [Theory, EachStorage]
    public async Task Each_cursor_goes_on_after_its_row(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        await Post(app,
            Odd.Select(odd =>
                new ExportedRow(odd + product, 1, Guid.NewGuid().ToString(), "view", product, default, Now, null)));
        var all = ExportedRow.Read("ndjson", (await Export(app, $"product={product}")).File);
        Assert.Equal(Odd.Length, all.Count);
        for (var i = 0; i < all.Count; i++)
            Assert.Equal(all.Skip(i + 1),
                ExportedRow.Read("ndjson",
                    (await Export(app, $"product={product}&after={Uri.EscapeDataString(all[i].Cursor)}")).File));
    }

    [Theory, EachStorage]
    public async Task A_parameter_that_is_none_is_refused(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        foreach (var (query, status, reason, field) in ((string, int, string, string?)[])
                 [
                     .. Bad("from", "invalid_time", "", "x", "2026", "2026-1-1", "2026-02-30", "2026-01-01T00:00:00",
                         "01.01.2026", "-1", "2026-01-01%00",
                         "2026-01-01Z", "99999-01-01", "now", "17000", "%D9%A2%D9%A0%D9%A2%D9%A6-01-01",
                         "2026-01-01T24:00:00Z", "2026-01-01T00:00:00+2:00"),
                     .. Bad("to", "invalid_time", "", "yesterday", "2026-13-01", "%202026-01-01"),
                     .. Bad("format", "unknown_value", "", "CSV", "json", "parquet%00", "../csv", "xml"),
                     .. Bad("after", "invalid_cursor", "", "7", ":", "7:", ":x", "-1:x", "%2B1:x", "1.0:x",
                         "9223372036854775808:x", "0x1:x", "x:7", "7:a%00b", "7:a%0Ab",
                         "%207:x", "7:" + new string('x', 1_025)),
                     ("product=", 422, "missing_field", "product"),
                     ("product=a%00", 422, "invalid_characters", "product"),
                     ("product=" + new string('x', 257), 422, "too_long", "product"),
                     ("unknown=1&after=4:x", 422, "unknown_parameter", "unknown"),
                     ("product=a&product=b", 422, "duplicate_field", "product"),
                     ("after=1:a&after=1:b", 422, "duplicate_field", "after"),
                     ("from=2026-01-01&fro%6D=2026-01-01", 422, "duplicate_field", "from"),
                     ("from=2026-01-02&to=2026-01-01", 422, "empty_range", "from"),
                     ("from=2026-01-02&to=2026-01-02", 422, "empty_range", "from"),
                     ("product=%ff", 400, "malformed_query", null),
                     ("after=1:%C3", 400, "malformed_query", null), ("%ff=1", 400, "malformed_query", null),
                     ("after=1:%ed%a0%80", 400, "malformed_query", null),
                 ])
        {
            using var response = await app.Http.GetAsync($"/api/export?{query}");
            Assert.True(!response.IsSuccessStatusCode, query); // an export's body would not be JSON
            (await app.Get($"/api/export?{query}")).AssertRefused(status, reason, field);
        }
        foreach (var method in (HttpMethod[])[HttpMethod.Post, HttpMethod.Put, HttpMethod.Delete])
            (await app.Send(new(method, "/api/export"))).AssertRefused(405, "method_not_allowed");

        static IEnumerable<(string, int, string, string?)> Bad(string name, string reason, params string[] values) =>
            values.Select(value => ($"{name}={value}", 422, reason, (string?)name));
    }

    [Theory, EachStorage]
    public async Task It_is_compressed_as_asked_for_and_nothing_else_is(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        await Post(app,
            Enumerable.Range(1, 2_000)
                .Select(i =>
                    new ExportedRow(product, i, Guid.NewGuid().ToString(), "view", product, default, Now, null)));
        var plain = (await Export(app, $"product={product}")).File;
        foreach (var (asked, encoding, open) in ((string, string, Func<Stream, Stream>)[])
                 [
                     ("gzip", "gzip", body => new GZipStream(body, CompressionMode.Decompress)),
                     ("br", "br", body => new BrotliStream(body, CompressionMode.Decompress)),
                 ])
        {
            using var response = await Ask(app, $"/api/export?product={product}", asked);
            Assert.Equal([encoding], response.Content.Headers.ContentEncoding);
            var body = await response.Content.ReadAsByteArrayAsync();
            Assert.InRange(body.Length, 1, plain.Length / 2);
            using var decoded = new MemoryStream();
            await open(new MemoryStream(body)).CopyToAsync(decoded);
            Assert.Equal(plain, decoded.ToArray());
            using var none = await Ask(app, "/api/export?product=none", asked);
            Assert.Equal((0, 0),
                ((await none.Content.ReadAsByteArrayAsync()).Length, none.Content.Headers.ContentEncoding.Count));
        }
        foreach (var path in (string[])[$"/api/export?format=parquet&product={product}", "/api/export?format=x",
            $"/api/fingerprints/{product}", "/openapi/v1.json"])
        {
            using var response = await Ask(app, path, "gzip, br");
            Assert.Empty(response.Content.Headers.ContentEncoding);
        }
    }

    private static readonly DateTime Now =
        new(DateTime.UtcNow.Ticks / TimeSpan.TicksPerMicrosecond * TimeSpan.TicksPerMicrosecond, DateTimeKind.Utc);

    private static async Task<(byte[] File, string? ContentType)> Export(AppProcess app, string query)
    {
        using var response = await app.Http.GetAsync($"/api/export?{query}");
        var body = await response.Content.ReadAsByteArrayAsync();
        Assert.True(response.IsSuccessStatusCode, Encoding.UTF8.GetString(body));
        return (body, response.Content.Headers.ContentType?.MediaType);
    }

    private static async Task<HttpResponseMessage> Ask(AppProcess app, string path, string encoding)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation("Accept-Encoding", encoding);
        return await app.Http.SendAsync(request);
    }

    private static async Task Post(AppProcess app, IEnumerable<ExportedRow> rows)
    {
        var all = rows.ToList();
        var lines =
            all.Where(row => !IsIndented(row))
                .Select(row =>
                    JsonSerializer.Serialize(new
                    {
                        row.Fingerprint, row.Id, row.Action, row.Product,
                        Timestamp = $"{row.Occurred:O}"
                    },
            JsonSerializerOptions.Web)[..^1] + (row.Properties is null ? "}" : $",\"properties\":{row.Properties}}}"))
            .ToList();
        var answer = await app.PostBatch($"[{string.Join(',', lines)}]");
        Assert.True(answer.Status == 200 && answer.Body.GetProperty("recorded").GetInt32() == lines.Count,
            answer.Body.ToString());
        foreach (var row in all.Where(IsIndented)) // only a form keeps the whitespace around it
        {
            var fields =
                (string[])["fingerprint", row.Fingerprint, "id", row.Id, "action", row.Action, "product", row.Product,
                    "timestamp", $"{row.Occurred:O}", "properties", row.Properties!];
            Assert.Equal(200,
                (await app.PostForm(
                    string.Join('&',
                        fields.Chunk(2).Select(pair => $"{pair[0]}={Uri.EscapeDataString(pair[1])}")))).Status);
        }

        static bool IsIndented(ExportedRow row) => row.Properties != row.Properties?.Trim();
    }
}
