using Tally.Contracts;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>
/// A silo lets go of its fingerprints one after the other while some of them end by themselves. If one that has ended
/// could not be let go again, the silo would follow the membership no longer.
/// </summary>
public sealed class LostFingerprints(PostgresServer server)
{
    [Theory, EachStorage]
    public async Task One_that_has_ended_can_be_lost_again(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new Limits());
        for (var i = 0; i < 2; i++) // the second event activates its grain
            Assert.Equal(200, (await silo.PostForm("action=view&product=k8s&fingerprint=XYZ")).Status);
        var lost = silo.Residents.Find("XYZ");
        Assert.NotNull(lost);

        lost.Lose(inVersion: long.MaxValue);
        await Eventually.True(() => Task.FromResult(silo.Residents.Find("XYZ") is null), "It does not end.");
        Assert.Equal(200, (await silo.Get("/api/fingerprints/XYZ")).Status); // the next one: so the first has ended
        lost.Lose(inVersion: long.MaxValue);
        Assert.NotNull(silo.Residents.Find("XYZ"));
    }
}
