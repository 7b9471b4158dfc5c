namespace Tally.Tests.Harness;

/// <summary>The Standard Webhooks library from npm, in its own program: Tests/Sdk/verify.js.</summary>
internal static class WebhookVerifier
{
    /// <summary>What the library says of each: "valid" and the type, or "refused".</summary>
    public static Task<string[]> Verify(params (string Secret, Received Request)[] webhooks) =>
        NodeProgram.Run("verify.js", [], webhooks.Select(one => new Dictionary<string, object>
        {
            ["secret"] = one.Secret, ["headers"] = one.Request.Headers, ["body"] = one.Request.Body,
        }));
}
