using System.Text.Json;

namespace Tally.Tests.Harness;

/// <summary>Rules with webhooks, and what became of their firings.</summary>
internal static class WebhookRules
{
    /// <summary>
    /// Puts a rule that fires at each fingerprint's first buy; if it is ordered, at every second one.
    /// </summary>
    /// <returns>The secret, if it was told.</returns>
    public static async Task<string?> PutWebhookRule(this IServing silo, string name, string url, bool ordered = false)
    {
        var rule = JsonSerializer.Serialize(new
        {
            when = new
            {
                @event = new { product = "k8s", action = "buy" },
                count = ordered ? new { every = 2 } : (object)"first",
            },
            how = ordered ? "each" : "once",
            webhook = new { url, ordered },
        });
        var answer = await silo.PutRule(name, rule);
        Assert.True(answer.Status is 200 or 201, $"{answer.Body}");
        return answer.Text("secret");
    }

    public static async Task Buy(this IServing silo, string fingerprint, int times = 1)
    {
        for (var i = 0; i < times; i++)
            Assert.Equal(200, (await silo.PostJson(
                $$$"""{"product":"k8s","action":"buy","fingerprint":"{{{fingerprint}}}","properties":{"plan":"pro"}}"""))
                .Status);
    }

    public static async Task<IReadOnlyList<JsonElement>> Firings(this IServing silo, string query) =>
        [.. (await silo.Get("/api/firings?limit=1000&" + query)).Body.GetProperty("firings").EnumerateArray()];

    /// <summary>Waits until a rule has so many firings in a state.</summary>
    /// <returns>These.</returns>
    public static async Task<IReadOnlyList<JsonElement>> HasFirings(
        this IServing silo, string rule, string state, int count = 1)
    {
        IReadOnlyList<JsonElement> found = [];
        await Eventually.True(async () => (found = await silo.Firings($"rule={rule}&state={state}")).Count == count,
            () => $"{found.Count} firings are {state}, and not {count}.");
        return found;
    }

    public static Task<Answer> PostEmpty(this IServing silo, string path) => silo.Send(new(HttpMethod.Post, path));

    public static int? Status(this JsonElement firing) =>
        firing.TryGetProperty("status", out var status) ? status.GetInt32() : null;

    public static string? Problem(this JsonElement firing) =>
        firing.TryGetProperty("problem", out var problem) ? problem.GetString() : null;
}
