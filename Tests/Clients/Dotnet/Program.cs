// The client as a program uses it. Each line on standard input is a call: {"call":"track","with":{…}}. The other
// calls, flush and figures, are answered with a line on standard output, which also tells what is refused. The end of
// the input stops the host.
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Tally.Client;

var settings = JsonDocument.Parse(args[0]).RootElement;
var builder = Host.CreateApplicationBuilder();
builder.Logging.ClearProviders().AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
builder.Logging.SetMinimumLevel(LogLevel.Debug);
builder.Services.AddTally(options =>
{
    options.Address = new(Text("address")!);
    options.Key = Text("key");
    options.Product = Text("product");
    options.QueueFolder = Text("queueFolder");
    if (Number("queueEventsMax") is { } waiting) options.QueueEventsMax = waiting;
    if (Number("batchEventsMax") is { } batch) options.BatchEventsMax = batch;
    if (Number("batchDelay") is { } gathering) options.BatchDelay = TimeSpan.FromMilliseconds(gathering);
    if (Text("whenFull") is "oldest") options.WhenFull = WhenFull.DropOldest;
    options.RetryDelay = TimeSpan.FromMilliseconds(Number("retryDelay") ?? 50);
    options.RetryDelayMax = TimeSpan.FromMilliseconds(Number("retryDelayMax") ?? 500);
    options.Refused = refusal => Say(new { refused = refusal });
});
if (Text("atStop") is { } action) builder.Services.AddHostedService(all =>
    new TrackingAtStop(all.GetRequiredService<TallyClient>(), action));
builder.Services.Configure<HostOptions>(host =>
    host.ShutdownTimeout = TimeSpan.FromMilliseconds(Number("stopTime") ?? 60_000));
using var host = builder.Build();
await host.StartAsync();
var client = host.Services.GetRequiredService<TallyClient>();
while (Console.ReadLine() is { } line)
{
    var call = JsonDocument.Parse(line).RootElement;
    switch (call.GetProperty("call").GetString())
    {
        case "track":
            var with = call.GetProperty("with");
            string? Of(string name) => with.TryGetProperty(name, out var value) ? value.GetString() : null;
            client.Track(new(Of("action")!, Of("fingerprint")!)
            {
                Product = Of("product"), Id = Of("id"),
                Timestamp = Of("timestamp") is { } time ? DateTimeOffset.Parse(time, null) : null,
                Properties = with.TryGetProperty("properties", out var properties) ? properties : null,
            });
            break;
        case "flush":
            await client.FlushAsync();
            Say(new { flushed = true });
            break;
        default:
            Say(new { figures = client.Figures });
            break;
    }
}
await host.StopAsync();
Say(new { figures = client.Figures });

string? Text(string name) =>
    settings.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

int? Number(string name) =>
    settings.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetInt32() : null;

static void Say(object what) => Console.WriteLine(JsonSerializer.Serialize(what, JsonSerializerOptions.Web));

/// <summary>A service of the program that has something to say when it stops.</summary>
internal sealed class TrackingAtStop(TallyClient client, string action) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken)
    {
        client.Track(action, "service", new { stopping = true });
        return Task.CompletedTask;
    }
}
