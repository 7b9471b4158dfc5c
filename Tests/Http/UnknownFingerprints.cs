using System.Net;
using Tally.Contracts;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>Runs in this process, because nothing outside shows how many grains a silo holds.</summary>
public sealed class UnknownFingerprints(PostgresServer server)
{
    private const int Asked = 2_000;

    [Fact]
    public async Task Asking_for_many_leaves_none_in_memory()
    {
        await using var files = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var silo = await RunningSilo.Start(files, new Limits());

        for (var i = 0; i < 2; i++) // the second event activates its grain
            Assert.Equal(200, (await silo.PostForm("action=view&product=k8s&fingerprint=known")).Status);
        await Parallel.ForAsync(0, Asked, async (i, cancellation) =>
        {
            using var answer = await silo.Http.GetAsync($"/api/fingerprints/unknown-{i}", cancellation);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        });

        await Eventually.True(async () => await silo.CountGrains() == 1, // the known one
            $"Of {Asked} unknown fingerprints and a known one, more than the known one is held in memory.");
    }
}
