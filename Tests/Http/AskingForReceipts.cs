using System.Text.Json;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>Whether an event was counted, by its id alone.</summary>
[Collection<SharedApp>]
public sealed class AskingForReceipts(SharedApps apps)
{
    private readonly string visitor = "visitor-" + Guid.NewGuid();

    // Paths, encodings, SQL, and what no text field takes.
    private static readonly string[] OddIds =
    [
        "a/b", "a%2Fb", "../..", "%", "?", "#", " ", "+", "\n", "'; drop table events; --", "\u00e9", "e\u0301",
        "\ud83d\ude00",
    ];

    [Theory, EachStorage]
    public async Task An_acknowledged_event_is_found_with_what_its_row_says(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        var id = $"order-{Guid.NewGuid()}";
        Assert.Equal(200, (await app.PostForm($"action=view&product=k8s&fingerprint={visitor}")).Status);
        Assert.Equal(200, (await app.PostForm(
            $"action=buy&product=vms&fingerprint={visitor}&id={id}&timestamp={DateTime.UtcNow.AddDays(-1):O}")).Status);

        var found = await Ask(app, id);
        Assert.Equal((200, id), (found.Status, found.Text("id")));
        var receipt = Assert.Single(found.Body.GetProperty("receipts").EnumerateArray());
        var row = (await app.Get(Requests.Path(visitor) + "/events")).Body.GetProperty("events")[1];
        Assert.Equal(visitor, receipt.GetProperty("fingerprint").GetString());
        foreach (var name in (string[])["sequence", "action", "product", "created", "occurred"])
            Assert.Equal(row.GetProperty(name).GetRawText(), receipt.GetProperty(name).GetRawText());

        // a repeat adds nothing, and is found just as well
        Assert.True((await app.PostForm($"action=buy&product=vms&fingerprint={visitor}&id={id}"
            + $"&timestamp={receipt.GetProperty("occurred").GetDateTime():O}")).Duplicate);
        Assert.Equal(found.Body.GetRawText(), (await Ask(app, id)).Body.GetRawText());
    }

    [Theory, EachStorage]
    public async Task An_id_that_the_service_made_is_found_too(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        var made = (await app.PostForm($"action=view&product=k8s&fingerprint={visitor}")).Text("id")!;
        foreach (var spelling in (string[])[made, made.ToUpperInvariant()])
            Assert.Equal([visitor], Fingerprints(await Ask(app, spelling)));
    }

    [Theory, EachStorage]
    public async Task Odd_ids_are_kept_apart(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        for (var i = 0; i < OddIds.Length; i++)
            Assert.Equal(200, (await app.PostJson(JsonSerializer.Serialize(
                new { action = "view", product = "k8s", fingerprint = $"{visitor}-{i}", id = OddIds[i] }))).Status);
        for (var i = 0; i < OddIds.Length; i++)
            Assert.Equal([$"{visitor}-{i}"], Fingerprints(await Ask(app, OddIds[i])).Where(IsMine));
    }

    [Theory, EachStorage]
    public async Task Several_fingerprints_may_have_one_id(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        var id = $"{Guid.NewGuid()}";
        string[] all = [.. Enumerable.Range(0, 5).Select(i => $"{visitor}-{i}")];
        await Task.WhenAll(all.Reverse().Select(one =>
            app.PostForm($"action=view&product=k8s&fingerprint={one}&id={id}")));
        Assert.Equal(all, Fingerprints(await Ask(app, id)));
        Assert.Equal(all[..2], Fingerprints(await Ask(app, id, "?limit=2")));
        Assert.Equal([all[3]], Fingerprints(await Ask(app, id, $"?fingerprint={all[3]}")));
        (await Ask(app, id, $"?fingerprint={visitor}")).AssertRefused(404, "unknown_id", "id");
    }

    [Theory, EachStorage]
    public async Task What_is_not_in_the_log_is_unknown(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        var id = $"{Guid.NewGuid()}";
        (await Ask(app, id)).AssertRefused(404, "unknown_id", "id");
        Assert.Equal(422, (await app.PostForm($"action=&product=k8s&fingerprint={visitor}&id={id}")).Status);
        (await Ask(app, id)).AssertRefused(404, "unknown_id", "id");
        Assert.Equal(200, (await app.PostForm($"action=view&product=k8s&fingerprint={visitor}&id={id}")).Status);
        Assert.Equal(200, (await Ask(app, id)).Status);
        Assert.Equal(200, (await app.Send(new(HttpMethod.Delete, Requests.Path(visitor)))).Status);
        (await Ask(app, id)).AssertRefused(404, "unknown_id", "id");
    }

    [Theory]
    [InlineData("%ff", 400, "malformed_path", "id")]
    [InlineData("%ED%A0%80", 400, "malformed_path", "id")] // half a surrogate pair
    [InlineData("x?fingerprint=", 422, "missing_field", "fingerprint")]
    [InlineData("x?fingerprint=%00", 422, "invalid_characters", "fingerprint")]
    [InlineData("x?limit=0", 422, "out_of_range", "limit")]
    [InlineData("x?limit=1001", 422, "out_of_range", "limit")]
    [InlineData("x?of=y", 422, "unknown_parameter", "of")]
    public async Task What_cannot_be_asked_is_refused(string path, int status, string reason, string field) =>
        (await (await apps.On(StorageKind.Sqlite)).App.Get("/api/receipts/" + path))
            .AssertRefused(status, reason, field);

    [Fact]
    public async Task An_id_that_no_event_can_have_is_refused()
    {
        var (app, _) = await apps.On(StorageKind.Sqlite);
        Assert.Equal(404, (await Ask(app, new('x', 128))).Status);
        (await Ask(app, new('x', 129))).AssertRefused(422, "too_long", "id");
    }

    private bool IsMine(string fingerprint) => fingerprint.StartsWith(visitor, StringComparison.Ordinal);

    private static IEnumerable<string> Fingerprints(Answer answer) => answer.Body.GetProperty("receipts")
        .EnumerateArray().Select(receipt => receipt.GetProperty("fingerprint").GetString()!);

    private static Task<Answer> Ask(AppProcess app, string id, string query = "") =>
        app.Get($"/api/receipts/{Uri.EscapeDataString(id)}{query}");
}
