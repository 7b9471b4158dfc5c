using System.Net;
using System.Net.Sockets;
using System.Text;
using Tally.Tests.Harness;

namespace Tally.Tests.Http.Webhooks;

/// <summary>Receivers that answer what no web server would, and names that lead inside.</summary>
public sealed class HostileReceivers(PostgresServer server)
{
    public static TheoryData<string, int?, string?> Answers => new()
    {
        { "HTTP/1.1 200 OK\r\n\r\n", 200, null }, // and then without end
        { "HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n", 200, null },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\n", 200, null },
        { "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", 200, null },
        { "HTTP/1.1 204 No Content\r\nRetry-After: -1\r\nSet-Cookie: a=b\r\nX: \u0001\u00ff\r\n\r\n", 204, null },
        { "HTTP/1.1 500 <script>\r\nRetry-After: 99999999999999999999\r\n\r\n", 500, "answered 500" },
        { "HTTP/1.1 200 OK\r\nX: " + new string('x', 40_000) + "\r\n\r\n", null,
            "the answer's headers are too large" },
        { "SSH-2.0-OpenSSH_9.2\r\n", null, "the answer is not HTTP" },
        { "HTTP/1.1 999999 OK\r\n\r\n", null, "the answer is not HTTP" },
    };

    [Theory, MemberData(nameof(Answers))]
    public async Task An_answer_is_bounded_and_only_its_status_counts(string head, int? status, string? problem)
    {
        await using var at = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var silo = await RunningSilo.Start(at, new() { WebhookRetrySeconds = "3600" });
        using var listener = new TcpListener(IPAddress.Loopback, FreePort.Next());
        listener.Start();
        var sent = 0L;
        var serving = Task.Run(async () =>
        {
            using var client = await listener.AcceptSocketAsync();
            var request = new byte[65_536];
            await client.ReceiveAsync(request);
            await client.SendAsync(Encoding.Latin1.GetBytes(head));
            var piece = new byte[4_096];
            Array.Fill(piece, (byte)'x');
            try
            {
                while (true) sent += await client.SendAsync(piece);
            }
            catch (SocketException)
            {
                // the sender has heard enough
            }
        }, TestContext.Current.CancellationToken);
        await silo.PutWebhookRule("bought", $"http://{listener.LocalEndpoint}/hook");
        await silo.Buy("a");
        await Eventually.True(async () => (await silo.Firings("rule=bought"))[0].GetProperty("attempts").GetInt32() == 1,
            "It was not tried.");
        var firing = (await silo.Firings("rule=bought"))[0];
        Assert.Equal((status, problem), (firing.Status(), firing.Problem()));
        await serving;
        Assert.InRange(sent, 0, 16 << 20); // what is in the buffers of sockets comes on top of what was read
    }

    [Theory]
    [InlineData("http://127.0.0.1:{0}/", null)]
    [InlineData("http://localhost:{0}/", null)]
    [InlineData("http://2130706433:{0}/", null)]
    [InlineData("http://[::1]:{0}/", null)]
    [InlineData("http://[::ffff:127.0.0.1]:{0}/", null)]
    [InlineData("http://169.254.169.254/latest/meta-data/", null)]
    [InlineData("http://[fd00:ec2::254]/latest/meta-data/", null)]
    [InlineData("http://localhost:{0}/", "10.0.0.0/8")]
    public async Task What_is_inside_gets_nothing_unless_the_operator_allows_it(string url, string? allowed)
    {
        await using var at = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var receiver = await WebhookReceiver.Start();
        await using var silo = await RunningSilo.Start(at, new() { WebhookRetrySeconds = "3600" },
            webhookNetworks: allowed);
        await silo.PutWebhookRule("bought", string.Format(url, receiver.Port));
        await silo.Buy("a");
        await Eventually.True(async () => (await silo.Firings("rule=bought"))[0].Problem() is not null,
            "It was not tried.");
        Assert.Equal("the address is not allowed", (await silo.Firings("rule=bought"))[0].Problem());
        var sample = await silo.PostEmpty("/api/rules/bought/test");
        Assert.Equal("the address is not allowed", sample.Text("problem"));
        Assert.Empty(receiver.All);
    }

    [Fact]
    public async Task The_flag_allows_what_it_names_and_no_proxy_of_the_environment_is_used()
    {
        await using var at = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var receiver = await WebhookReceiver.Start();
        await using var app = await AppProcess.Start(at, new()
        {
            ["http_proxy"] = "http://127.0.0.1:9", ["HTTP_PROXY"] = "http://127.0.0.1:9",
            ["ALL_PROXY"] = "http://127.0.0.1:9",
        }, flags: ["-webhookNetworks", "127.0.0.0/8,::1"]);
        var secret = await app.PutWebhookRule("bought", receiver.Url);
        await app.PutWebhookRule("named", receiver.Url.Replace("127.0.0.1", "localhost"));
        await app.Buy("a");
        await app.HasFirings("bought", "delivered");
        await app.HasFirings("named", "delivered");
        receiver.Answer = WebhookReceiver.Status(500);
        await app.Buy("b");
        await receiver.Has(4);
        await Eventually.True(() => Task.FromResult(app.Output.Contains("Webhooks to ", StringComparison.Ordinal)),
            "It is not logged.");
        foreach (var hidden in (string[])["secret-token", "/hook", secret!, "plan"])
            Assert.DoesNotContain(hidden, app.Output);
        Assert.DoesNotContain("whsec_", $"{(await app.Get("/api/rules/bought")).Body}{(await app.Get("/api/rules")).Body}");
        var metrics = await app.Http.GetStringAsync("/metrics", TestContext.Current.CancellationToken);
        Assert.Matches("(?m)^tally_firings_delivered_total(\\{[^}]*\\})? 2$", metrics);
        Assert.Matches("(?m)^tally_firings_tries_failed_total(\\{[^}]*\\})? 2$", metrics);
        await Eventually.True(async () => System.Text.RegularExpressions.Regex.IsMatch(
            await app.Http.GetStringAsync("/metrics"), "(?m)^tally_firings_pending(\\{[^}]*\\})? 2$"),
            "The pending ones are not shown.");
        Assert.Matches("(?m)^tally_firings_oldest_age_seconds(\\{[^}]*\\})? [0-9.]+$",
            await app.Http.GetStringAsync("/metrics", TestContext.Current.CancellationToken));
    }
}
