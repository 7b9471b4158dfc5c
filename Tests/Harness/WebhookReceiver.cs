using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Tally.Tests.Harness;

/// <summary>A request that a receiver of webhooks got.</summary>
/// <param name="Headers">By their names in lower case.</param>
/// <param name="Body">As it came.</param>
internal sealed record Received(
    string Method, string Path, IReadOnlyDictionary<string, string> Headers, string Body)
{
    public string Id => Headers["webhook-id"];
    public JsonElement Data => JsonSerializer.Deserialize<JsonElement>(Body).GetProperty("data");
    public string Fingerprint => Data.GetProperty("fingerprint").GetString()!;
    public long Sequence => Data.GetProperty("sequence").GetInt64();
}

/// <summary>A web server that takes webhooks, and answers as a test wants.</summary>
internal sealed class WebhookReceiver : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly ConcurrentQueue<Received> received = new();

    private WebhookReceiver(WebApplication app, int port, string scheme) =>
        (this.app, Port, Url) = (app, port, $"{scheme}://127.0.0.1:{port}/hook?token=secret-token");

    public int Port { get; }
    public string Url { get; }

    /// <summary>All requests, in the order in which they came.</summary>
    public IReadOnlyList<Received> All => [.. received];

    /// <summary>The requests at once, now and at most.</summary>
    public int Running { get; private set; }
    public int RunningMost { get; private set; }

    /// <summary>What the next requests are answered with.</summary>
    public Func<HttpContext, Received, Task> Answer { get; set; } = Status(200);

    public static Func<HttpContext, Received, Task> Status(int status) => (context, _) =>
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    };

    /// <summary>Never answers.</summary>
    public static Task Hang(HttpContext context, Received _) =>
        Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);

    /// <param name="at">Its port, if not any.</param>
    /// <param name="address">One of this machine's own.</param>
    /// <param name="answer">What it answers from the first request on, if not 200.</param>
    /// <param name="tls">PEM files; null for plain HTTP.</param>
    public static async Task<WebhookReceiver> Start(int? at = null, string address = "127.0.0.1",
        Func<HttpContext, Received, Task>? answer = null, (string Certificate, string Key)? tls = null)
    {
        var port = at ?? FreePort.Next();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(
            IPAddress.Parse(address), port, listen =>
            {
                if (tls is var (certificate, key))
                    listen.UseHttps(X509Certificate2.CreateFromPemFile(certificate, key));
            }));
        var app = builder.Build();
        var receiver = new WebhookReceiver(app, port, tls is null ? "http" : "https")
        {
            Answer = answer ?? Status(200),
        };
        app.Run(receiver.Take);
        await app.StartAsync();
        return receiver;
    }

    /// <summary>Waits until it has so many requests.</summary>
    public Task Has(int count) => Eventually.True(() => Task.FromResult(received.Count >= count),
        () => $"There are {received.Count} requests and not {count}.");

    private async Task Take(HttpContext context)
    {
        using var body = new StreamReader(context.Request.Body);
        var request = new Received(context.Request.Method, context.Request.Path,
            context.Request.Headers.ToDictionary(header => header.Key.ToLowerInvariant(), header => $"{header.Value}"),
            await body.ReadToEndAsync());
        lock (received)
        {
            RunningMost = Math.Max(RunningMost, ++Running);
            received.Enqueue(request);
        }
        try
        {
            await Answer(context, request);
        }
        finally
        {
            lock (received) Running--;
        }
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        await app.StopAsync(now.Token);
        await app.DisposeAsync();
    }
}
