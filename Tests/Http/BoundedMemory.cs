using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>More fingerprints than a silo holds in memory: some leave it, and none forgets anything.</summary>
public sealed class BoundedMemory(PostgresServer server)
{
    private const int Max = 50, Fingerprints = 400;

    [Theory, EachStorage]
    public async Task Fingerprints_beyond_the_limit_leave_memory_and_keep_their_counts(StorageKind storage)
    {
        await using var database = await TestDatabase.Create(storage, server);
        await using var app =
            await AppProcess.Start(database, new() { ["Limits__ResidentFingerprintsMax"] = $"{Max}" });
        await PostToEach(app, "first", duplicate: false);
        await Eventually.True(async () => await Residents(app) <= Max, $"At most {Max} stay.");

        await Task.WhenAll(PostToEach(app, "second", duplicate: false), PostToEach(app, "first", duplicate: true));
        for (var i = 0; i < Fingerprints; i += 37)
            Assert.Equal(2, (await app.Get($"/api/fingerprints/f-{i}")).Body.GetProperty("total").GetInt64());
        await Eventually.True(async () => await Residents(app) <= Max, $"At most {Max} stay.");
        Assert.Equal(0, await app.Terminate());
        await AppProcess.AssertVerifies(database);
    }

    // A fingerprint in use stays, however many others pass: it is not loaded again.
    [Theory, EachStorage]
    public async Task A_fingerprint_in_use_stays(StorageKind storage)
    {
        await using var database = await TestDatabase.Create(storage, server);
        await using var app = await AppProcess.Start(database, new()
        {
            ["Limits__ResidentFingerprintsMax"] = $"{Max}",
            ["Limits__KnownFingerprintsBytesMax"] = "0", // new ones are loaded too, so loads count activations
        });
        var posts = 0;
        for (var i = 0; i < Fingerprints; i++)
        {
            await Post(app, $"passing-{i}", "only", duplicate: false);
            await Post(app, "busy", $"id-{posts++}", duplicate: false);
        }
        Assert.Equal(Fingerprints + 1, (await PrometheusText.Scrape(app)).Sum("tally_load_fingerprints_sum"));
    }

    private static async Task<double> Residents(AppProcess app) =>
        (await PrometheusText.Scrape(app)).Sum("tally_fingerprints_resident");

    private static Task PostToEach(AppProcess app, string id, bool duplicate) => Parallel.ForEachAsync(
        Enumerable.Range(0, Fingerprints), async (i, _) => await Post(app, $"f-{i}", id, duplicate));

    private static async Task Post(AppProcess app, string fingerprint, string id, bool duplicate)
    {
        var answer = await app.PostForm($"action=view&product=k8s&fingerprint={fingerprint}&id={id}");
        Assert.Equal((200, duplicate), (answer.Status, answer.Duplicate));
    }
}
