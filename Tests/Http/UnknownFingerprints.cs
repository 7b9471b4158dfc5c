using System.Net;
using Tally.Contracts;
using Tally.Grains;
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
        var http = silo.Http;

        using (var form =
            new FormUrlEncodedContent([new("action", "view"), new("product", "k8s"), new("fingerprint", "known")]))
        using (var posted = await http.PostAsync("/api/events", form)) Assert.Equal(HttpStatusCode.OK,
            posted.StatusCode);
        await Parallel.ForAsync(0, Asked, async (i, cancellation) =>
        {
            using var answer = await http.GetAsync($"/api/fingerprints/unknown-{i}", cancellation);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        });

        var management = silo.Grains.GetGrain<IManagementGrain>(0);
        await Eventually.True(async () =>
        {
            var grains = await management.GetSimpleGrainStatistics();
            var held = grains.Where(kind => kind.GrainType.Contains(nameof(FingerprintGrain)))
                .Sum(kind => kind.ActivationCount);
            return held == 1; // the known one
        }, $"Of {Asked} unknown fingerprints and a known one, more than the known one is held in memory.");
    }
}
