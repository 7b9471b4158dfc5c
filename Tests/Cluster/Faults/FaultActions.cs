using Tally.Tests.Harness;

namespace Tally.Tests.Cluster.Faults;

/// <summary>Injects faults and ends each: cuts are healed, paused silos resumed and killed ones started.</summary>
internal sealed class FaultActions(
    IReadOnlyList<SupervisedSilo> silos, LocalPostgres postgres, TestDatabase database, SiloNetwork? network,
    int stopSecondsMax)
{
    private const int StopSecondsMin = 5;
    private const int CutSecondsMin = 2;
    private const int CutSecondsMax = 8;
    private const int TerminationRounds = 10;

    // A silo that was declared dead while it could not know stays ready until it learns of it.
    private static readonly TimeSpan ReadyFor = TimeSpan.FromSeconds(2);

    public IReadOnlyList<SupervisedSilo> Silos => silos;

    /// <summary>All but the one that joins and leaves.</summary>
    public IReadOnlyList<SupervisedSilo> Members => [.. silos.SkipLast(1)];

    /// <summary>The one that joins and leaves.</summary>
    public SupervisedSilo Guest => silos[^1];

    public bool CanCut => network is not null;

    /// <summary>Whether the fault affects all fingerprints alike.</summary>
    public static bool HurtsAll(FaultKind kind) => kind is FaultKind.AllSilosKilled or FaultKind.PostgresRestarted
        or FaultKind.BackendsTerminated or FaultKind.SiloJoinsAndLeaves;

    /// <summary>Whether every silo that should run is ready, and stays so for a while.</summary>
    public async Task<bool> AllReady()
    {
        var until = DateTime.UtcNow + ReadyFor;
        while (DateTime.UtcNow < until)
        {
            var ready = await Task.WhenAll(silos.Where(silo => silo.IsWanted).Select(silo => silo.IsReady()));
            if (ready.Contains(false)) return false;
            await Task.Delay(100);
        }
        return true;
    }

    /// <param name="hurt">The silo to hurt, unless the fault hurts all.</param>
    /// <param name="random">Decides the fault's length and the like.</param>
    /// <param name="isWaitedFor">Whether a request to the hurt silo is under way.</param>
    /// <param name="beforeWaking">Sends what waits in a paused silo's sockets when it resumes.</param>
    public async Task Inject(
        FaultKind kind, SupervisedSilo hurt, Random random, Func<bool> isWaitedFor, Action beforeWaking)
    {
        switch (kind)
        {
            case FaultKind.SiloKilled:
                hurt.Suspend(); // so that requests to it are under way when it dies
                await Eventually.True(
                    () => Task.FromResult(isWaitedFor()), $"Nothing asks {hurt.Name}.", seconds: 60);
                await hurt.Kill();
                await Wait(random, 0, 3);
                hurt.Start();
                break;
            case FaultKind.SiloStopped:
                hurt.Suspend();
                await Wait(random, StopSecondsMin, stopSecondsMax);
                beforeWaking();
                await Task.Delay(200); // until they have arrived
                hurt.Resume();
                break;
            case FaultKind.SiloTerminated:
                Assert.Equal(0, await hurt.Terminate());
                hurt.Start();
                break;
            case FaultKind.SiloJoinsAndLeaves:
                Guest.Start();
                await Eventually.True(Guest.IsReady, "A new silo does not become ready.", seconds: 120);
                await Wait(random, 1, 4);
                Assert.Equal(0, await Guest.Terminate());
                break;
            case FaultKind.AllSilosKilled:
                await Task.WhenAll(Members.Select(silo => silo.Kill()));
                foreach (var silo in Members) silo.Start();
                break;
            case FaultKind.PostgresRestarted:
                await postgres.Stop("immediate");
                await Wait(random, 0, 3);
                await postgres.Start();
                break;
            case FaultKind.BackendsTerminated:
                for (var round = 0; round < TerminationRounds; round++)
                {
                    await database.Execute(
                        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'tally'");
                    await Task.Delay(random.Next(400));
                }
                break;
            case FaultKind.CutBetweenSilos:
                var others = Members.Where(silo => silo != hurt).ToList();
                await network!.Cut(hurt.Place, others[random.Next(others.Count)].Place);
                await Wait(random, CutSecondsMin, CutSecondsMax);
                await network.Heal();
                break;
            case FaultKind.CutFromPostgres:
                await network!.Cut(hurt.Place, postgres.Settings.Port);
                await Wait(random, CutSecondsMin, CutSecondsMax);
                await network.Heal();
                break;
            default: throw new ArgumentOutOfRangeException(nameof(kind), kind, null);
        }
    }

    private static Task Wait(Random random, double secondsMin, double secondsMax) =>
        Task.Delay(TimeSpan.FromSeconds(secondsMin + random.NextDouble() * (secondsMax - secondsMin)));
}
