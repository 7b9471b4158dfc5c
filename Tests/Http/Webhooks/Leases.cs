using Tally.Tests.Harness;

namespace Tally.Tests.Http.Webhooks;

/// <summary>Silos take firings from each other only when one has died.</summary>
[Collection<Clusters>]
public sealed class Leases(PostgresServer server)
{
    private static readonly Dictionary<string, string> Patient = new()
    {
        ["APP_WEBHOOK_NETWORKS"] = "127.0.0.1", ["Limits__WebhookLeaseSeconds"] = "20",
        ["Limits__WebhookTrySecondsMax"] = "300",
    };

    [Fact]
    public async Task What_a_killed_silo_was_sending_another_one_sends_again()
    {
        await using var at = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var receiver = await WebhookReceiver.Start();
        receiver.Answer = WebhookReceiver.Hang;
        await using var silos = await Silos.Start(at, 1, Patient);
        await silos[0].PutWebhookRule("bought", receiver.Url);
        await silos[0].Buy("a");
        await receiver.Has(1); // it is the first silo that sends
        await silos.Join();
        await silos[0].Kill();
        Assert.Single(receiver.All);
        receiver.Answer = WebhookReceiver.Status(200);
        await Eventually.True(() => Task.FromResult(receiver.All.Count == 2), "It is not sent again.");
        await silos[1].HasFirings("bought", "delivered");
        Assert.Single(receiver.All.Select(got => got.Id).Distinct());
    }

    [Fact]
    public async Task Two_silos_send_each_firing_once()
    {
        await using var at = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var receiver = await WebhookReceiver.Start();
        await using var silos = await Silos.Start(at, 2, Patient);
        await silos[0].PutWebhookRule("bought", receiver.Url);
        for (var i = 0; i < 100; i++) await silos[i % 2].Buy($"f{i}");
        var count = (await silos[1].Firings("rule=bought")).Count; // the other silo learns of the rule later
        Assert.InRange(count, 50, 100);
        await silos[1].HasFirings("bought", "delivered", count);
        Assert.Equal((count, count), (receiver.All.Count, receiver.All.Select(got => got.Id).Distinct().Count()));
    }

    [Fact]
    public async Task A_silo_that_stops_ends_or_gives_back_what_it_was_sending()
    {
        await using var at = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var receiver = await WebhookReceiver.Start();
        receiver.Answer = WebhookReceiver.Hang;
        await using (var app = await AppProcess.Start(at, Patient))
        {
            await app.PutWebhookRule("bought", receiver.Url);
            await app.Buy("a");
            await receiver.Has(1);
            Assert.Equal(0, await app.Terminate());
            app.AssertLoggedNo("fail:");
        }
        var (attempts, isDue) = (await at.Query("""
            select attempts, next_attempt <= strftime('%Y-%m-%dT%H:%M:%f000Z', 'now') from firings
            """, row => (row.GetInt32(0), row.GetBoolean(1))))[0];
        Assert.Equal((0, true), (attempts, isDue));
    }
}
