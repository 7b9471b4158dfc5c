using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>
/// Fingerprints are arbitrary text. Those that look alike to some layer below must still be kept apart.
/// </summary>
public sealed class FingerprintsKeptApart(SharedApps apps) : IClassFixture<SharedApps>
{
    private static readonly string[] Alike =
    [
        // numbers and Guids to Orleans' storage
        "ff", "00ff", "FF", "DEAD", "dead", "0", "00", "1", "01",
        "0123456789abcdef0123456789abcdef", "0123456789ABCDEF0123456789ABCDEF", "01234567-89ab-cdef-0123-456789abcdef",
        // paths and their encodings
        "a/b", "a%2Fb", "a%252Fb", "../", "..", ".", "../../api/events", "a/../b", "b", "a/", "a//b", "events",
        "a/events", "%", "%2", "?", "#", "a?b=c",
        // forms and their encodings
        "a b", "a+b", "a&b", "a=b", "a;b", " a", "a ", " ", "'", "\"", "\\", "';drop table events;--", "~", "~ff",
        // Unicode: composed and not, cases that fold, no width, right to left, beyond the first plane
        "\u00e9", "e\u0301", "ß", "ss", "İ", "i", "\u212a", "K", "k", "\u200b", "a\u200b", "\u202eabc", "日本語", "😀",
        "👨‍👩‍👧", "\ufeff", "\ufffd", "\uffff",
    ];

    [Theory, EachStorage]
    public async Task Each_is_its_own(StorageKind storage)
    {
        var shared = await apps.On(storage);
        Assert.Equal(Alike.Length, Alike.Distinct(StringComparer.Ordinal).Count());
        // One to five events, depending on its place in the list, so that neighbours differ. Forms and JSON take turns.
        for (var i = 0; i < Alike.Length; i++)
            for (var n = 0; n <= i % 5; n++)
            {
                var receipt = n % 2 == 0
                    ? await shared.App.PostForm(
                        $"action=view&product=p{i}&fingerprint={Uri.EscapeDataString(Alike[i])}")
                    : await shared.App.PostJson(System.Text.Json.JsonSerializer.Serialize(
                        new { action = "view", product = $"p{i}", fingerprint = Alike[i] }));
                Assert.Equal((200, Alike[i], n + 1L, false),
                    (receipt.Status, receipt.Text("fingerprint"), receipt.Sequence, receipt.Duplicate));
            }
        Assert.Equal(Alike.Order(StringComparer.Ordinal),
            (await shared.Database.Query("select distinct fingerprint from events", row => row.GetString(0))).Order(
                StringComparer.Ordinal));
        for (var i = 0; i < Alike.Length; i++) await AssertAnswersFor(shared.App, i);
    }

    [Theory, EachStorage]
    public async Task Each_has_its_own_snapshot(StorageKind storage)
    {
        // Each gets more events than it takes to write a snapshot, and more than one load returns.
        string[] likeNumbers = ["ff", "00ff", "FF", "DEAD", "dead"];
        await using var database = await TestDatabase.Create(storage, apps.Server);
        await using (var app = await AppProcess.Start(database))
        {
            foreach (var fingerprint in likeNumbers)
                await Task.WhenAll(Enumerable.Range(0, 80).Select(_ =>
                    app.PostForm($"action=view&product=of-{fingerprint}&fingerprint={fingerprint}")));
            Assert.Equal(0, await app.Terminate());
        }
        await using (var app = await AppProcess.Start(database))
            foreach (var fingerprint in likeNumbers)
            {
                var view = (await app.View(fingerprint)).Body;
                Assert.Equal(80, view.GetProperty("total").GetInt64());
                Assert.Equal(["of-" + fingerprint],
                    view.GetProperty("counts").EnumerateArray().Select(c => c.GetProperty("product").GetString()));
            }
        await AppProcess.AssertVerifies(database);
    }

    // Over a raw connection, because a client's URL type would resolve or decode some of these.
    private static async Task AssertAnswersFor(AppProcess app, int i)
    {
        var encoded = string.Concat(System.Text.Encoding.UTF8.GetBytes(Alike[i]).Select(b => $"%{b:X2}"));
        foreach (var (path, counts) in ((string, string)[])[($"/api/fingerprints/{encoded}", "total"),
            ($"/api/fingerprints/{encoded}/events?limit={i % 5 + 1}", "next")])
        {
            await using var connection = await RawConnection.To(app);
            await connection.Send($"GET {path} HTTP/1.1\r\nHost: tally\r\n\r\n");
            var answer = (await connection.Receive())!;
            Assert.Equal((200, Alike[i], i % 5 + 1L),
                (answer.Status, answer.Text("fingerprint"), answer.Body.GetProperty(counts).GetInt64()));
        }
    }
}
