using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Logs;
using OpenTelemetry.Resources;
using Tally.Tests.Harness;

namespace Tally.Tests.Http.Trackers;

/// <summary>Log records over OTLP, from OpenTelemetry's SDK for .NET and by hand.</summary>
[Collection<SharedApp>]
public sealed class OtlpLogs(SharedApps apps)
{
    private const string Path = "/v1/logs";
    private const string Json = "application/json";
    private const string Protobuf = "application/x-protobuf";

    private readonly string visitor = "visitor-" + Guid.NewGuid();

    [Theory, EachStorage]
    public async Task Records_of_the_sdk_for_dotnet_with_an_event_name_are_events(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        using (var factory = Exporting(app.Port, (_, processor) =>
            processor.ExportProcessorType = ExportProcessorType.Simple))
        {
            var logger = factory.CreateLogger("orders");
            Log(logger, new("user.id", visitor), new("event.name", "order paid"), new("total", 9.5), new("paid", true));
            Log(logger, new KeyValuePair<string, object?>("user.id", visitor));
        }
        var recorded = Assert.Single(await Events(app));
        Assert.Equal(("order paid", "shop"), (recorded.GetProperty("action").GetString(),
            recorded.GetProperty("product").GetString()));
        var properties = recorded.GetProperty("properties");
        Assert.Equal((9.5, true, "1.2"), (properties.GetProperty("total").GetDouble(),
            properties.GetProperty("paid").GetBoolean(), properties.GetProperty("service.version").GetString()));
        Assert.Equal("It was paid.", properties.GetProperty("body").GetString());
    }

    [Fact]
    public async Task A_server_that_dies_and_comes_back_has_every_record_once()
    {
        const int each = 300;
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, apps.Server);
        var app = await AppProcess.Start(database);
        using (var factory = Exporting(app.Port, (exporter, processor) =>
        {
            exporter.TimeoutMilliseconds = 120_000; // tries again for so long
            processor.BatchExportProcessorOptions = new() { ScheduledDelayMilliseconds = 10, MaxExportBatchSize = 20 };
        }))
        {
            var logger = factory.CreateLogger("orders");
            void Send(string name)
            {
                for (var i = 0; i < each; i++)
                    Log(logger, new("user.id", $"{visitor}-{i % 7}"), new("event.name", name), new("i", i));
            }
            Send("tick");
            await Eventually.True(async () => await Rows() > 0, "Nothing is recorded.");
            await app.Kill(); // in the middle, so that some are recorded but their answers lost
            Send("tock");
            await app.DisposeAsync();
            app = await AppProcess.Start(database, AppProcess.ClusterOfItsOwn(), app.Port);
            await Eventually.True(async () => await Rows() >= 2 * each, "Records are missing.");
        }
        Assert.Equal(0, await app.Terminate());
        await app.DisposeAsync();
        Assert.Equal(2 * each, await Rows());
        await AppProcess.AssertVerifies(database);

        async Task<long> Rows() => (await database.Query("select count(*) from events", row => row.GetInt64(0)))[0];
    }

    [Theory, EachStorage]
    public async Task What_is_sent_again_counts_once_and_equal_records_count_each(StorageKind storage)
    {
        var shared = await apps.On(storage);
        var one = Record("tick");
        var body = Request($"{one},{one},{Record("tock")}");
        for (var i = 0; i < 3; i++)
            Assert.Equal((200, "{}"), await Post(shared.App, body));
        Assert.Equal(3, await shared.Rows(visitor));
        // an id of the record's own counts in whatever request it is
        var uid = Record("own", """{"key":"log.record.uid","value":{"stringValue":"u-1"}}""");
        for (var i = 0; i < 2; i++) Assert.Equal((200, "{}"), await Post(shared.App, Request($"{uid},{uid}")));
        Assert.Equal(4, await shared.Rows(visitor));
    }

    [Fact]
    public async Task Each_kind_of_value_is_a_property()
    {
        var (app, _) = await apps.On(StorageKind.Sqlite);
        Assert.Equal((200, "{}"), await Post(app, Request(Record("x",
            """{"key":"text","value":{"stringValue":"é"}}""", """{"key":"whole","value":{"intValue":"-5"}}""",
            """{"key":"number","value":{"doubleValue":9.5}}""", """{"key":"flag","value":{"boolValue":false}}""",
            """{"key":"list","value":{"arrayValue":{"values":[{"intValue":1},{"stringValue":"a"}]}}}""",
            """{"key":"inner","value":{"kvlistValue":{"values":[{"key":"a","value":{"intValue":7}}]}}}""",
            """{"key":"none","value":{}}""", """{"key":"client.address","value":{"stringValue":"203.0.113.1"}}"""))));
        Assert.Equal("""{"text":"é","whole":-5,"number":9.5,"flag":false,"list":[1,"a"],"inner":{"a":7}}""",
            JsonSerializer.Serialize(Assert.Single(await Events(app)).GetProperty("properties")).Replace("\\u00E9", "é"));
    }

    [Fact]
    public async Task What_is_no_event_or_refused_is_counted_in_the_answer()
    {
        var shared = await apps.On(StorageKind.Sqlite);
        var large = $$$"""{"key":"text","value":{"stringValue":"{{{new string('x', 40_000)}}}"}}""";
        var (status, answer) = await Post(shared.App,
            Request($$$"""{{{Record("fine")}}},{},{"body":{"stringValue":"a log"}},{{{Record("large", large)}}},1"""));
        var rejected = JsonDocument.Parse(answer).RootElement.GetProperty("partialSuccess");
        Assert.Equal((200, "4"), (status, rejected.GetProperty("rejectedLogRecords").GetString()));
        Assert.Contains("too_long", rejected.GetProperty("errorMessage").GetString());
        Assert.Equal(1, await shared.Rows(visitor));
    }

    [Fact]
    public async Task A_body_that_is_malformed_or_too_large_is_refused()
    {
        var (app, _) = await apps.On(StorageKind.Sqlite);
        foreach (var body in (byte[][])
                 [
                     [0x0A], [0x0A, 5, 1], [0xFF], [0x0B], // breaks off, a tag without end, an open group
                     Nested(70), [0x0A, 6, 0x0A, 4, 0x0A, 2, 0x0A, 0xFF], // too deep, a length beyond the end
                 ])
            (await app.Post(body, Protobuf, null, Path)).AssertRefused(400, "malformed_body");
        foreach (var body in (string[])["", "[1,", new('[', 100_000)])
            (await app.Post(Encoding.UTF8.GetBytes(body), Json, null, Path)).AssertRefused(400, "malformed_body");
        (await app.Post(new byte[5 << 20], Protobuf, null, Path)).AssertRefused(413, "body_too_large");
        (await app.Post([], "text/plain", null, Path)).AssertRefused(415, "unsupported_media_type");
        Assert.Equal((200, ""), await Post(app, [], Protobuf));
        Assert.Equal((200, "{}"), await Post(app, "[]"u8.ToArray(), Json));
    }

    // The SDK with its exporter, which tries again.
    private static ILoggerFactory Exporting(int port,
        Action<OtlpExporterOptions, LogRecordExportProcessorOptions> configure) => LoggerFactory.Create(logging =>
        {
            logging.Services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(
                [new("OTEL_DOTNET_EXPERIMENTAL_OTLP_RETRY", "in_memory")]).Build());
            logging.AddOpenTelemetry(telemetry =>
            {
                telemetry.SetResourceBuilder(ResourceBuilder.CreateEmpty().AddService("shop", serviceVersion: "1.2"));
                telemetry.IncludeFormattedMessage = true;
                telemetry.AddOtlpExporter((exporter, processor) =>
                {
                    exporter.Endpoint = new($"http://127.0.0.1:{port}{Path}");
                    exporter.Protocol = OtlpExportProtocol.HttpProtobuf;
                    configure(exporter, processor);
                });
            });
        });

    private static void Log(ILogger logger, params KeyValuePair<string, object?>[] attributes) =>
        logger.Log(LogLevel.Information, default, attributes, null, (_, _) => "It was paid.");

    // The body of a record whose value is a list in a list in a list …
    private static byte[] Nested(int levels)
    {
        byte[] inner = [];
        for (var i = 0; i < levels; i++) inner = Field(5, Field(1, inner));
        return Field(1, Field(2, Field(2, Field(5, inner))));
    }

    private static byte[] Field(int number, byte[] message)
    {
        using var stream = new MemoryStream();
        using (var output = new CodedOutputStream(stream, leaveOpen: true))
        {
            output.WriteTag(number, WireFormat.WireType.LengthDelimited);
            output.WriteBytes(ByteString.CopyFrom(message));
        }
        return stream.ToArray();
    }

    private string Record(string name, params string[] attributes)
    {
        var user = $$$"""{"key":"user.id","value":{"stringValue":"{{{visitor}}}"}}""";
        var all = string.Join(',', attributes.Append(user));
        var time = $"{DateTimeOffset.UtcNow.ToUnixTimeSeconds()}000000000";
        return $$"""{"eventName":"{{name}}","timeUnixNano":"{{time}}","attributes":[{{all}}]}""";
    }

    private static string Request(string records) => $$$"""
        {"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeLogs":[{"logRecords":[{{{records}}}]}]}]}
        """;

    private static Task<(int Status, string Body)> Post(AppProcess app, string body) =>
        Post(app, Encoding.UTF8.GetBytes(body), Json);

    private static async Task<(int Status, string Body)> Post(AppProcess app, byte[] body, string contentType)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new(contentType);
        using var response = await app.Http.PostAsync(Path, content);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    private async Task<List<JsonElement>> Events(AppProcess app) =>
        [.. (await app.Get(Requests.Path(visitor) + "/events")).Body.GetProperty("events").EnumerateArray()];
}
