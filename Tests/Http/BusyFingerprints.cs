using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;
using Tally.Contracts;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>
/// Orleans collects grains that get no message for a while. A fingerprint in use gets none from its own silo, but must
/// stay. One without a grain leaves after the same time.
/// </summary>
public sealed class BusyFingerprints(PostgresServer server)
{
    private static readonly TimeSpan Age = TimeSpan.FromSeconds(3);

    [Theory, EachStorage]
    public async Task A_fingerprint_in_use_stays_while_idle_ones_are_collected(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new Limits(),
            services => services.Configure<GrainCollectionOptions>(collection =>
                (collection.CollectionAge, collection.CollectionQuantum) = (Age, TimeSpan.FromSeconds(1))));
        await silo.KnowNewOnes();
        await Post(silo, "newcomer");
        Assert.Equal(0, await silo.CountGrains());
        // A long pause in the traffic, as on an overloaded machine, proves nothing. Then there is another round.
        for (var round = 0; await LongestPause(silo, $"busy-{round}", $"idle-{round}") > Age / 2; round++)
            Assert.True(round < 10, "The machine is too slow to keep a fingerprint busy.");
        await Eventually.True(() => Task.FromResult(silo.Residents.Count == 0), "Not all that are idle leave.");
    }

    // Uses two idle ones, one after the other: the second is collected long after the busy one would be.
    private static async Task<TimeSpan> LongestPause(RunningSilo silo, string busy, string idle)
    {
        await Post(silo, busy);
        await Post(silo, busy); // activates its grain
        var activation = silo.Residents.Find(busy);
        Assert.NotNull(activation);
        var longest = TimeSpan.Zero;
        foreach (var one in (string[])[idle, idle + "-later"])
        {
            await Post(silo, one);
            await Post(silo, one);
            var begun = Stopwatch.GetTimestamp();
            for (var last = begun; silo.Residents.Find(one) is not null;)
            {
                Assert.True(Stopwatch.GetElapsedTime(begun) < TimeSpan.FromMinutes(1),
                    "An idle fingerprint is not collected.");
                await Task.Delay(5);
                await Post(silo, busy);
                var pause = Stopwatch.GetElapsedTime(last);
                if (pause > longest) longest = pause;
                last = Stopwatch.GetTimestamp();
            }
        }
        if (longest <= Age / 2) Assert.Same(activation, silo.Residents.Find(busy));
        return longest;
    }

    private static async Task Post(RunningSilo silo, string fingerprint) =>
        Assert.Equal(200, (await silo.PostForm($"action=view&product=k8s&fingerprint={fingerprint}")).Status);
}
