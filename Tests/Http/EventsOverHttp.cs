using System.Net.Http.Json;
using System.Text.Json;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>The main job from end to end.</summary>
public sealed class EventsOverHttp(PostgresServer server)
{
    [Theory, EachStorage]
    public async Task An_event_is_counted_once_and_is_still_there_after_a_restart(StorageKind storage)
    {
        await using var database = await TestDatabase.Create(storage, server);
        await using (var app = await AppProcess.Start(database))
        {
            var first = await Post(app, "action=view&product=k8s&fingerprint=XYZ&id=order-17");
            Assert.Equal("order-17", first.GetProperty("id").GetString());
            Assert.Equal(1, first.GetProperty("sequence").GetInt64());
            Assert.False(first.GetProperty("duplicate").GetBoolean());
            Assert.True(
                (await Post(app, "action=view&product=k8s&fingerprint=XYZ&id=order-17")).GetProperty("duplicate")
                    .GetBoolean());
            Assert.Equal(0, await app.Terminate());
        }
        await using (var app = await AppProcess.Start(database))
        {
            var view = await app.Http.GetFromJsonAsync<JsonElement>("/api/fingerprints/XYZ");
            Assert.Equal(1, view.GetProperty("total").GetInt64());
        }
        await AppProcess.AssertVerifies(database);
    }

    private static async Task<JsonElement> Post(AppProcess app, string form)
    {
        using var content = new StringContent(form, null, "application/x-www-form-urlencoded");
        using var response = await app.Http.PostAsync("/api/events", content);
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadFromJsonAsync<JsonElement>();
    }
}
