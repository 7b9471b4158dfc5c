using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>A client that sends more than it may is refused, and told for how long; nobody else is.</summary>
public sealed class Flooding(PostgresServer server)
{
    private const int FloodMax = 400;
    private const int FullBucket = 10; // requests, at one a second
    private const string Key = "writer-0123456789abcdef";
    private const string OtherKey = "others-0123456789abcdef";
    private const string PerAddress = "Limits__AddressRequestsPerSecondMax";
    private const string NewPerMinute = "Limits__AddressNewFingerprintsPerMinuteMax";

    [Theory, EachStorage]
    public Task What_an_address_sends_beyond_its_limit_is_not_recorded(StorageKind storage) =>
        With(storage, new() { [PerAddress] = "1" }, [], async (app, database) =>
    {
        var posted = await Flood(app, "1.2.3.4", i => $"flooded-{i}", "too_many_requests", 1);
        Assert.Equal(posted, await Rows(database));
        await AssertShares(app, "1.2.3.4", null, "/api/fingerprints/flooded-0");
        for (var i = 0; i < 30; i++)
            foreach (var path in (string[])["/health/live", "/health/ready", "/metrics", "/openapi/v1.json"])
                Assert.Equal(200, (await Send(app, "1.2.3.4", null, path)).Status);
        Assert.Equal(posted, await Rows(database));
    });

    // A flooder cannot change its address: only what a trusted proxy adds to X-Forwarded-For counts.
    [Fact]
    public async Task An_address_is_what_the_peer_is_or_a_trusted_proxy_says()
    {
        await With(StorageKind.Sqlite, new() { [PerAddress] = "1" }, [], async (app, _) =>
        {
            await Flood(app, "1.2.3.4", i => $"f{i}", "too_many_requests", 1);
            await AssertShares(app, "5.6.7.8");
        });
        await With(StorageKind.Sqlite, new() { [PerAddress] = "1" }, ["-trustedProxies=10.0.0.0/8,127.0.0.1"],
            async (app, _) =>
        {
            await Flood(app, "9.9.9.9, 1.2.3.4", i => $"f{i}", "too_many_requests", 1);
            foreach (var same in (string[])["8.8.8.8, 1.2.3.4", "1.2.3.4", "1.2.3.4:5678", "::ffff:1.2.3.4",
                "1.2.3.4, 10.1.2.3", "rubbish, 1.2.3.4"])
                await AssertShares(app, same);
            foreach (var other in (string?[])["1.2.3.5", "1.2.3.4, 1.2.3.6", "2001:db8::1", null])
                Assert.Equal(200, (await Send(app, other, "f")).Status);

            await Flood(app, "2001:db8:1:2::3", i => $"f{i}", "too_many_requests", 1);
            await AssertShares(app, "2001:db8:1:2:ffff::4");
            Assert.Equal(200, (await Send(app, "2001:db8:1:3::3", "f")).Status);
        });
    }

    [Fact]
    public Task Through_the_load_balancer_nobody_names_himself() =>
        With(StorageKind.Sqlite, new() { [PerAddress] = "1" }, ["-trustedProxies=127.0.0.0/8"], async (app, _) =>
    {
        await using var balancer = await LoadBalancer.Start(("127.0.0.1", app.Port));
        using var wire = await HttpWire.Connect(balancer.Port);
        var sent = 0;
        Reply? reply;
        do reply = await wire!.Ask(
            $"GET /api/fingerprints/f HTTP/1.1\r\nHost: tally\r\nX-Forwarded-For: 1.2.3.{sent}\r\n\r\n"); while (reply is { Status: 404 } && ++sent < FloodMax);
        Assert.Equal(429, reply?.Status);
    });

    [Fact]
    public Task A_key_has_a_bucket_whoever_uses_it() => With(
        StorageKind.Sqlite,
        new() { ["Limits__KeyRequestsPerSecondMax"] = "1", ["APP_WRITE_KEYS"] = $"{Key} {OtherKey}" },
        ["-trustedProxies=127.0.0.1"], async (app, _) =>
    {
        var sent = 0;
        Answer answer;
        do answer = await Send(app, $"1.2.3.{sent % 200}", "f", key: Key); while (answer.Status == 200
            && ++sent < FloodMax);
        answer.AssertRefused(429, "too_many_requests");
        Assert.True(answer.Headers.RetryAfter!.Delta >= TimeSpan.FromSeconds(1));
        Assert.Equal(200, (await Send(app, "1.2.3.4", "f", key: OtherKey)).Status);
        (await Send(app, "1.2.3.4", "f")).AssertRefused(401, "missing_key");
    });

    [Theory, EachStorage]
    public Task An_address_that_names_ever_new_fingerprints_is_refused(StorageKind storage) => With(
        storage, new() { [NewPerMinute] = "6" }, ["-trustedProxies=127.0.0.1"], async (app, database) =>
    {
        // Known fingerprints may be repeated at will, and questions name no new ones.
        for (var i = 0; i < 50; i++) Assert.Equal(200, (await Send(app, "1.2.3.4", "resident")).Status);
        for (var i = 0; i < 50; i++)
            Assert.Equal(404, (await Send(app, "1.2.3.4", null, $"/api/fingerprints/asked-{i}")).Status);

        var posted = await Flood(app, "1.2.3.4", i => $"new-{i}", "too_many_new_fingerprints", 6);
        Assert.Equal(50 + posted, await Rows(database));
        (await Send(app, "1.2.3.4", "resident")).AssertRefused(429, "too_many_new_fingerprints");
        Assert.Equal(200, (await Send(app, "1.2.3.4", null, "/api/fingerprints/resident")).Status);
        Assert.Equal(200, (await Send(app, "1.2.3.5", "of-another")).Status);
    });

    [Theory, EachStorage]
    public async Task The_service_has_so_many_products_and_actions_and_no_more(StorageKind storage)
    {
        await using var database = await TestDatabase.Create(storage, server);
        Dictionary<string, string> limits = new() { ["Limits__ServiceCountersMax"] = "3" };
        await using (var app = await AppProcess.Start(database, limits))
        {
            foreach (var product in (string[])["a", "b", "a", "c", "b"])
                Assert.Equal(200, (await Post(app, "view", product)).Status);
            await AssertFull(app);
            await Eventually.True(async () =>
                (await database.Query("select count(*) from counters", row => row.GetInt64(0)))[0] == 3,
                "The merge does not write the counters.");
            Assert.Equal(0, await app.Terminate()); // the next one need not wait until this one is declared dead
        }
        // also right after the start
        await using (var app = await AppProcess.Start(database, limits)) await AssertFull(app);
        await AppProcess.AssertVerifies(database);
        Assert.Equal(["a", "b", "c"],
            await database.Query("select distinct product from events order by 1", row => row.GetString(0)));

        static async Task AssertFull(AppProcess app)
        {
            (await Post(app, "view", "d")).AssertRefused(422, "too_many_counters");
            (await Post(app, "buy", "a")).AssertRefused(422, "too_many_counters");
            foreach (var product in (string[])["a", "b", "c"])
                Assert.Equal(200, (await Post(app, "view", product)).Status);
        }

        static Task<Answer> Post(AppProcess app, string action, string product) =>
            app.PostForm($"action={action}&product={product}&fingerprint=f");
    }

    private async Task With(StorageKind storage, Dictionary<string, string> environment, string[] flags,
        Func<AppProcess, TestDatabase, Task> test)
    {
        await using var database = await TestDatabase.Create(storage, server);
        await using var app = await AppProcess.Start(database, environment, flags: flags);
        await test(app, database);
    }

    /// <returns>How many were accepted before the first refusal.</returns>
    private static async Task<int> Flood(AppProcess app, string address, Func<int, string> fingerprint, string reason,
        int atLeast)
    {
        var taken = 0;
        Answer answer;
        do answer = await Send(app, address, fingerprint(taken)); while (answer.Status == 200 && ++taken < FloodMax);
        answer.AssertRefused(429, reason);
        Assert.True(answer.Headers.RetryAfter!.Delta >= TimeSpan.FromSeconds(1));
        Assert.True(taken >= atLeast, $"{taken} were taken");
        return taken;
    }

    // An empty bucket gains one place a second, and a slow machine may be late. A bucket of its own would have ten at
    // once.
    private static async Task AssertShares(AppProcess app, string address, string? fingerprint = "f",
        string path = "/api/events")
    {
        var taken = 0;
        Answer answer;
        do answer = await Send(app, address, fingerprint, path); while (answer.Status is 200 or 404
            && ++taken < FullBucket / 2);
        answer.AssertRefused(429, "too_many_requests");
    }

    private static Task<Answer> Send(AppProcess app, string? forwardedFor, string? fingerprint,
        string path = "/api/events", string? key = null)
    {
        var request = new HttpRequestMessage(fingerprint is null ? HttpMethod.Get : HttpMethod.Post, path);
        if (fingerprint is not null)
            request.Content =
                new StringContent($"action=view&product=k8s&fingerprint={fingerprint}", null,
                    "application/x-www-form-urlencoded");
        if (forwardedFor is not null) request.Headers.TryAddWithoutValidation("X-Forwarded-For", forwardedFor);
        if (key is not null) request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + key);
        return app.Send(request);
    }

    private static async Task<long> Rows(TestDatabase database) =>
        (await database.Query("select count(*) from events", row => row.GetInt64(0)))[0];
}
