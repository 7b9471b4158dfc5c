using System.Collections.Concurrent;
using System.Net;
using System.Text;

namespace Tally.Tests.Harness;

/// <summary>A collector that receives OTLP over HTTP on a real socket and keeps what it received.</summary>
public sealed class OtlpListener : IAsyncDisposable
{
    private readonly HttpListener listener = new();
    private readonly ConcurrentQueue<(string Path, string Body)> received = new();
    private readonly Task serving;

    public OtlpListener()
    {
        var port = FreePort.Next();
        Url = $"http://127.0.0.1:{port}";
        listener.Prefixes.Add(Url + "/");
        listener.Start();
        serving = Serve();
    }

    public string Url { get; }

    /// <summary>Has an app send here, and soon.</summary>
    public Dictionary<string, string> Environment => ExportTo(Url);

    public static Dictionary<string, string> ExportTo(string url) => new()
    {
        ["OTEL_EXPORTER_OTLP_ENDPOINT"] = url,
        ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
        ["OTEL_METRIC_EXPORT_INTERVAL"] = "200",
        ["OTEL_BSP_SCHEDULE_DELAY"] = "200",
    };

    /// <summary>
    /// Whether one request to this path contained all these texts. Protobuf leaves a text's bytes as they are.
    /// </summary>
    public bool Received(string path, params string[] texts) =>
        received.Any(request =>
            request.Path == path && texts.All(text => request.Body.Contains(text, StringComparison.Ordinal)));

    public async ValueTask DisposeAsync()
    {
        listener.Close();
        await serving;
    }

    private async Task Serve()
    {
        try
        {
            while (true)
            {
                var context = await listener.GetContextAsync();
                using var body = new StreamReader(context.Request.InputStream, Encoding.Latin1);
                received.Enqueue((context.Request.Url!.AbsolutePath, await body.ReadToEndAsync()));
                context.Response.ContentType = "application/x-protobuf"; // an empty message means that all is accepted
                context.Response.Close();
            }
        }
        catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException)
        {
            // closed
        }
    }
}
