using System.Net;
using System.Net.Sockets;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>-fingerprints=server: an event without a fingerprint gets one for a day.</summary>
public sealed class Cookieless(PostgresServer server)
{
    private const string Event = "action=view&product=k8s";
    private const string Firefox = "Mozilla/5.0 (X11; Linux) Firefox/150.0";
    private static readonly string[] Flags = ["-fingerprints=server"];

    [Theory, EachStorage]
    public async Task One_visitor_of_one_site_is_one_fingerprint_and_others_are_others(StorageKind storage)
    {
        await using var database = await TestDatabase.Create(storage, server);
        await using var app = await AppProcess.Start(database, flags: Flags);
        var first = await Post(app, "127.0.0.1", Firefox, ("Origin", "https://shop.example"));
        foreach (var same in (Visit[])[
                     new("127.0.0.1", Firefox, ("Origin", "https://shop.example")),
                     new("127.0.0.1", Firefox, ("Origin", "https://SHOP.example:8443")),
                     new("127.0.0.1", Firefox, ("Referer", "https://shop.example/cart?order=17")),
                     new("127.0.0.1", Firefox, ("Origin", "null"), ("Referer", "https://shop.example/"))])
            Assert.Equal(first, await Post(app, same));

        var others = new List<string> { first };
        foreach (var other in (Visit[])[
                     new("127.0.0.2", Firefox, ("Origin", "https://shop.example")),
                     new("127.0.0.1", "curl/8.0", ("Origin", "https://shop.example")),
                     new("127.0.0.1", "", ("Origin", "https://shop.example")),
                     new("127.0.0.1", Firefox, ("Origin", "https://other.example")),
                     new("127.0.0.1", Firefox),
                     new("127.0.0.1", Firefox, ("Referer", "nonsense")) { Form = "action=view&product=vms" }])
            others.Add(await Post(app, other));
        Assert.Equal(others.Count, others.Distinct().Count());

        // A client may give its own fingerprint; an empty one counts as none.
        Assert.Equal("mine", (await app.PostForm(Event + "&fingerprint=mine")).Text("fingerprint"));
        (await app.PostForm("action=view")).AssertRefused(422, "missing_field", "product");

        // Within the fingerprint an id counts once, in every body format and through the pixel.
        var form = await app.PostForm(Event + "&id=a&fingerprint=");
        Assert.True((await app.PostJson("""{"action":"view","product":"k8s","id":"a"}""")).Duplicate);
        Assert.Equal(200, (await app.Get($"/api/pixel.gif?{Event}&id=a")).Status);
        Assert.Equal(1, (await app.View(form.Text("fingerprint")!)).Body.GetProperty("total").GetInt64());
    }

    [Fact]
    public async Task What_a_proxy_names_that_is_no_address_makes_nobody_another_visitor()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database, flags: [.. Flags, "-trustedProxies=127.0.0.1"]);
        var ofProxy = await Post(app, "127.0.0.1", Firefox);
        var ofClient = await Post(app, "127.0.0.1", Firefox, [("X-Forwarded-For", "203.0.113.7")]);
        Assert.NotEqual(ofProxy, ofClient);
        // Whatever comes before the client's address is only the client's claim.
        foreach (var same in (string[])
                 ["203.0.113.7:4711", "unknown, 203.0.113.7", "_hidden, 203.0.113.7:80", "198.51.100.1, 203.0.113.7",
                     ",,, 203.0.113.7", " 203.0.113.7 "])
            Assert.Equal(ofClient, await Post(app, "127.0.0.1", Firefox, [("X-Forwarded-For", same)]));
        // If the header cannot be read, nobody is believed: the request is the proxy's, as without the header.
        foreach (var nobody in (string[])
                 ["unknown", "_hidden", "203.0.113.7, unknown", "203.0.113.7, _hidden", "203.0.113.7, 999.1.1.1",
                     "203.0.113.7;198.51.100.1", "203.0.113.7:99999", "for=203.0.113.7",
                     "' or 1=1", new string('1', 5_000)])
            Assert.Equal((nobody, ofProxy),
                (nobody, await Post(app, "127.0.0.1", Firefox, [("X-Forwarded-For", nobody)])));
        Assert.Equal(await Post(app, "127.0.0.1", Firefox, [("X-Forwarded-For", "2001:db8::1")]),
            await Post(app, "127.0.0.1", Firefox, [("X-Forwarded-For", "[2001:db8::1]:443")]));
        Assert.Equal(0, await app.Terminate());
        Assert.DoesNotContain("Exception", app.Output);
    }

    [Theory, EachStorage]
    public async Task The_address_and_the_user_agent_are_neither_stored_nor_logged(StorageKind storage)
    {
        const string address = "127.0.0.77";
        await using var database = await TestDatabase.Create(storage, server);
        await using var app = await AppProcess.Start(database, flags: Flags);
        var fingerprint = await Post(app, address, Firefox, ("Referer", "https://shop.example/cart"));
        // enough events for a snapshot too
        for (var i = 0; i < 40; i++)
            Assert.Equal(fingerprint, await Post(app, address, Firefox, ("Origin", "https://shop.example")));
        await Post(app, address, Firefox, ("Origin", "https://shop.example"), form: "action=%00");
        Assert.Equal(0, await app.Terminate());
        Assert.All((string[])[address, "Firefox", "shop.example"], secret => Assert.DoesNotContain(secret, app.Output));

        var stored = storage == StorageKind.Sqlite
            ? string.Concat(
                Directory.GetFiles(Path.GetDirectoryName(database.Path)!)
                    .Select(file => System.Text.Encoding.Latin1.GetString(File.ReadAllBytes(file))))
            : string.Join('\n',
                await database.Query(
                    "select e::text from events e union all select encode(payload, 'escape') from snapshots",
                    row => row.GetString(0)));
        Assert.Contains(fingerprint, stored);
        Assert.All((string[])[address, "Firefox", "shop.example"], secret => Assert.DoesNotContain(secret, stored));
        await AppProcess.AssertVerifies(database);
    }

    [Fact]
    public async Task Silos_that_start_together_know_a_visitor_by_the_same_fingerprint()
    {
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        AppProcess[] silos = [.. Enumerable.Range(0, 3).Select(_ => AppProcess.Launch(database, flags: Flags))];
        try
        {
            await Task.WhenAll(silos.Select(silo => silo.WaitReady()));
            var fingerprints = await Task.WhenAll(silos.Select(silo => Post(silo, "127.0.0.1", Firefox)));
            Assert.Single(fingerprints.Distinct());
        }
        finally
        {
            foreach (var silo in silos) await silo.DisposeAsync();
        }
    }

    [Theory, EachStorage]
    public async Task The_same_day_it_outlives_a_restart_and_the_next_day_it_is_another(StorageKind storage)
    {
        await using var database = await TestDatabase.Create(storage, server);
        var fingerprints = new List<string>();
        foreach (var aDayLater in (bool[])[false, false, true])
        {
            if (aDayLater) await database.Execute("update daily_salts set day = '2026-01-01'");
            await using var app = await AppProcess.Start(database, flags: Flags);
            fingerprints.Add(await Post(app, "127.0.0.1", Firefox));
            Assert.Equal(0, await app.Terminate());
        }
        Assert.Equal(fingerprints[0], fingerprints[1]);
        Assert.NotEqual(fingerprints[0], fingerprints[2]);
    }

    [Theory, EachStorage]
    public async Task Without_a_salt_an_event_is_refused_until_there_is_one(StorageKind storage)
    {
        await using var database = await TestDatabase.Create(storage, server);
        await using (await database.OpenPrepared()) { }
        await database.Execute("alter table daily_salts rename to elsewhere");
        await using var app = await AppProcess.Start(database, flags: Flags);
        var refused = await app.PostForm(Event + "&id=a");
        refused.AssertRefused(503, "unavailable");
        Assert.Equal("a", refused.Text("id"));
        Assert.Equal(200, (await app.PostForm(Event + "&fingerprint=mine")).Status);
        await database.Execute("alter table elsewhere rename to daily_salts");
        Assert.False((await app.PostForm(Event + "&id=a")).Duplicate);
    }

    private sealed record Visit(string Address, string UserAgent, params (string Name, string Value)[] Headers)
    {
        public string Form { get; init; } = Event;
    }

    private static Task<string> Post(AppProcess app, Visit visit) =>
        Post(app, visit.Address, visit.UserAgent, visit.Headers, visit.Form);

    private static Task<string> Post(AppProcess app, string address, string userAgent, (string, string) header,
        string form = Event) =>
        Post(app, address, userAgent, [header], form);

    private static async Task<string> Post(AppProcess app, string address, string userAgent,
        (string, string)[]? headers = null, string form = Event)
    {
        using var http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (context, cancellation) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                socket.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
                await socket.ConnectAsync(context.DnsEndPoint, cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            },
        })
        { BaseAddress = app.Http.BaseAddress };
        using var request =
            new HttpRequestMessage(HttpMethod.Post,
                "/api/events")
            { Content = new StringContent(form, null, "application/x-www-form-urlencoded") };
        if (userAgent.Length > 0) request.Headers.TryAddWithoutValidation("User-Agent", userAgent);
        foreach (var (name, value) in headers ?? []) request.Headers.TryAddWithoutValidation(name, value);
        using var response = await http.SendAsync(request);
        using var body = System.Text.Json.JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        return body.RootElement.TryGetProperty("fingerprint", out var fingerprint) ? fingerprint.GetString()!
            : $"{(int)response.StatusCode}";
    }
}
