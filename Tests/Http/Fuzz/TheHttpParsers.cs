using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Tally.Tests.Harness;

namespace Tally.Tests.Http.Fuzz;

/// <summary>Thousands of broken requests. The seed determines what is sent, and the machine's speed how many.</summary>
public sealed partial class TheHttpParsers(PostgresServer server)
{
    private const int Clients = 12;
    private const long WorkingSetBytesMax = 700L << 20;

    // The last request on each connection. If its answer does not come, an earlier request left something open.
    private const string Last = "GET /health/live HTTP/1.1\r\nHost: tally\r\nConnection: close\r\n\r\n";

    private static readonly string[] Uncounting =
    [
        "{\"success\":true}", "{\"cache\":\"", "\"processed\":", "\"tracked\":", "{\"status\":1}", "x-protobuf",
        "\r\n\r\n{}", "\"partialSuccess\"", "\r\n\r\nok",
    ];

    private const int RequestsMin = 3_000; // a busy machine takes longer

    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan DurationMax = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan BeforeEnding = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Theory, EachStorage]
    public async Task They_refuse_what_is_broken_and_record_what_they_acknowledge(StorageKind storage)
    {
        var seed = Seed.Next();
        await using var database = await TestDatabase.Create(storage, server);
        await using var app = await AppProcess.Start(database, flags: ["-fingerprints=server"]);
        await AssertKnowsEveryEndpoint(app);

        var tallies = new ConcurrentBag<FuzzTally>();
        var time = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(client => Task.Run(async () =>
        {
            var random = new Random(unchecked(seed * 31 + client));
            while (time.Elapsed < Duration || tallies.Count < RequestsMin && time.Elapsed < DurationMax)
                tallies.Add(await Try(app, Mutation.Next(random)));
        })));

        Assert.Equal(200, (await app.PostForm("action=view&product=k8s&fingerprint=after")).Status);
        FuzzTally total =
            new(tallies.Sum(t => t.Acknowledged) + 1, tallies.Sum(t => t.Uncounted), tallies.Sum(t => t.Refused));
        Assert.True(total.Acknowledged > 100 && total.Refused > 100,
            $"{total} of {tallies.Count} requests: the mutations are too tame or too wild.");
        var metrics = await PrometheusText.Scrape(app);
        var rows = (await database.Query("select count(*) from events", row => row.GetInt64(0)))[0];
        Assert.Equal(rows, (long)metrics.Sum("tally_events_accepted_total"));
        Assert.InRange(rows, total.Acknowledged, total.Acknowledged + total.Uncounted);
        Assert.InRange((long)metrics.Sum("dotnet_process_memory_working_set_bytes"), 1, WorkingSetBytesMax);
        TestContext.Current.TestOutputHelper?.WriteLine($"{tallies.Count} requests, {total}, {rows} events");

        Assert.Equal(0, await app.Terminate());
        app.AssertLoggedNo("Exception");
        await AppProcess.AssertVerifies(database);
    }

    /// <param name="Acknowledged">Events that an answer says are recorded now.</param>
    /// <param name="Uncounted">
    /// Events that may be recorded without such an answer, because it has another form or the client left.
    /// </param>
    /// <param name="Refused">Refusals.</param>
    private sealed record FuzzTally(int Acknowledged, int Uncounted, int Refused);

    // Sends it, and reads all answers until the server closes.
    private static async Task<FuzzTally> Try(AppProcess app, byte[] request)
    {
        using var patience = new CancellationTokenSource(Patience);
        using var socket =
            new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, app.Port, patience.Token);
        var answers = new StringBuilder();
        var left = false;
        try
        {
            await socket.SendAsync((byte[])[.. request, .. Encoding.ASCII.GetBytes(Last)], patience.Token);
            var buffer = new byte[64 * 1024];
            while (true)
            {
                var reading = socket.ReceiveAsync(buffer, patience.Token).AsTask();
                if (!left && await Task.WhenAny(reading, Task.Delay(BeforeEnding, patience.Token)) != reading)
                {
                    left = true; // the server waits for more of a body
                    socket.Shutdown(SocketShutdown.Send);
                }
                if (await reading is not (> 0 and var read)) break;
                answers.Append(Encoding.Latin1.GetString(buffer, 0, read));
            }
        }
        catch (SocketException)
        {
            left = true; // reset: it was refused before all of it was read
        }
        catch (OperationCanceledException)
        {
            Assert.Fail("No end of the answers to " + Shown(request));
        }
        return Judge(request, answers.ToString(), left);
    }

    private static FuzzTally Judge(byte[] request, string answers, bool left)
    {
        var statuses =
            Statuses().Matches(answers)
                .Select(match => int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture)).ToList();
        // Several clients may ask for more exports at once than are allowed.
        var busy = answers.Contains("\"reason\":\"too_many_exports\"", StringComparison.Ordinal);
        Assert.False(statuses.Any(status => status is 500 or 502 or 504 || (status == 503 && !busy)),
            $"{string.Join(' ', statuses)} for {Shown(request)}: {answers}");
        var recorded = Receipts().Count(answers) + Images().Count(answers)
            + Batches().Matches(answers)
                .Sum(match => int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture));
        // Other tools' answers have no count, so this is the most that the request has room for.
        var uncounted = left || statuses.Any(status => status is 202 or 204)
            || Uncounting.Any(mark => answers.Contains(mark, StringComparison.Ordinal)) ? request.Length / 20 : 0;
        return new(recorded, uncounted, statuses.Count(status => status >= 400));
    }

    // Ensures that a new endpoint is not forgotten here.
    private static async Task AssertKnowsEveryEndpoint(AppProcess app)
    {
        var lines = FuzzRequests.All.Select(request => Encoding.Latin1.GetString(request.Head)).ToList();
        var description = await app.Get("/openapi/v1.json");
        foreach (var path in description.Body.GetProperty("paths").EnumerateObject().Select(path => path.Name)
            .Where(path => path != "/health/live"))
            foreach (var method in description.Body.GetProperty("paths").GetProperty(path).EnumerateObject()
                .Select(method => method.Name.ToUpperInvariant()))
                Assert.Contains(lines,
                    line => Regex.IsMatch(line, $"^{method} {Regex.Replace(path, @"\{\w+\}", "[^/]+")}[ ?]"));
    }

    private static string Shown(byte[] request) =>
        string.Concat(
            request.Take(3_000).Select(b => b is >= 0x20 and < 0x7f and not (byte)'\\' ? $"{(char)b}" : $"\\x{b:x2}"));

    [GeneratedRegex(@"HTTP/1\.1 (\d\d\d)")]
    private static partial Regex Statuses();

    // No text that a client chose can look like these, because its quotes are escaped.
    [GeneratedRegex("\"sequence\":\\d+,\"duplicate\":false}")]
    private static partial Regex Receipts();

    [GeneratedRegex("\"recorded\":(\\d+),")]
    private static partial Regex Batches();

    [GeneratedRegex("GIF89a")]
    private static partial Regex Images();
}
