using System.Text;
using Tally.Silo.Webhooks;

namespace Tally.Tests.Pure.Webhooks;

/// <summary>Signatures, as the Standard Webhooks specification has them.</summary>
public sealed class Signatures
{
    private static readonly byte[] Secret = Convert.FromBase64String("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLw==");
    private static readonly byte[] Body = Encoding.UTF8.GetBytes("""{"test": 2432232314}""");
    private const string Id = "msg_p5jXN8AQM9LWM0D4loKWxJek";

    [Fact]
    public void It_is_what_npm_s_library_signs_too() => Assert.Equal(
        "v1,/Xy7FLfFISa1TZH7WLT+0x/orG5MlcutAFOpVan3/00=", WebhookSignature.Create(Id, 1614265330, Body, [Secret]));

    [Fact]
    public void Each_secret_signs()
    {
        var other = WebhookSecret.New();
        Assert.Equal(
            $"{WebhookSignature.Create(Id, 17, Body, [other])} {WebhookSignature.Create(Id, 17, Body, [Secret])}",
            WebhookSignature.Create(Id, 17, Body, [other, Secret]));
    }

    [Fact]
    public void A_secret_is_32_random_bytes_with_a_prefix()
    {
        var secrets = Enumerable.Range(0, 100).Select(_ => WebhookSecret.Text(WebhookSecret.New())).ToHashSet();
        Assert.Equal(100, secrets.Count);
        Assert.All(secrets, secret =>
        {
            Assert.StartsWith("whsec_", secret);
            Assert.Equal(32, Convert.FromBase64String(secret["whsec_".Length..]).Length);
        });
    }
}
