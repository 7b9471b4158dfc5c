using Tally.Tests.Harness;

namespace Tally.Tests.Http.Webhooks;

/// <summary>What most receivers are reached over.</summary>
public sealed class OverTls(PostgresServer server)
{
    [Fact]
    public async Task Only_a_receiver_with_a_trusted_certificate_of_its_own_name_is_told()
    {
        using var authority = new SiloAuthority();
        using var another = new SiloAuthority();
        await using var at = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(at,
            new() { ["SSL_CERT_FILE"] = authority.Ca, ["APP_WEBHOOK_NETWORKS"] = "127.0.0.1" });
        await using var trusted = await WebhookReceiver.Start(tls: authority.Issue("receiver"));
        await using var untrusted = await WebhookReceiver.Start(tls: another.Issue("receiver"));
        await using var expired = await WebhookReceiver.Start(tls: authority.Issue("expired", days: -1));
        await app.PutWebhookRule("trusted", trusted.Url);
        await app.PutWebhookRule("untrusted", untrusted.Url);
        await app.PutWebhookRule("expired", expired.Url);
        await app.PutWebhookRule("misnamed", trusted.Url.Replace("127.0.0.1", "localhost"));
        await app.Buy("ada");

        Assert.Equal(200, Assert.Single(await app.HasFirings("trusted", "delivered")).Status());
        foreach (var rule in (string[])["untrusted", "expired", "misnamed"])
            await Eventually.True(async () => (await app.Firings($"rule={rule}&state=pending")) is [var firing]
                && firing.Problem() == "no TLS connection, or a certificate that is not trusted",
                $"It is not said what is wrong with {rule}.");
        Assert.Equal((1, 0, 0), (trusted.All.Count, untrusted.All.Count, expired.All.Count));
    }
}
