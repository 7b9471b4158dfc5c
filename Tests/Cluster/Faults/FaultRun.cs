using System.Diagnostics;
using System.Net;
using Tally.Tests.Harness;

namespace Tally.Tests.Cluster.Faults;

/// <summary>A Postgres, three silos, the load balancer and clients, with one fault after another from a seed.</summary>
internal sealed class FaultRun : IAsyncDisposable
{
    private const int Silos = 3;
    private const int ProbesMax = 24;
    private const int RecoverySeconds = 180;

    private static readonly LoadShape Shape = new()
    {
        HotShare = 0.9, BatchShare = 0.05, IdleMillisecondsMax = 60, ReadBackShare = 0.2,
        AnswerPatience = TimeSpan.FromSeconds(70),
    };

    private readonly Random random;
    private readonly FaultActions actions;
    private readonly ReadingBack reading;
    private readonly List<IAsyncDisposable> owned;
    private readonly CancellationTokenSource finishing = new();
    private Task joiningAndLeaving = Task.CompletedTask;

    private FaultRun(
        int seed, FaultActions actions, Load load, IReadOnlyList<IPEndPoint> addresses, List<IAsyncDisposable> owned)
    {
        (random, this.actions, Load, this.owned) = (new(seed), actions, load, owned);
        reading = new(addresses, load.History);
    }

    public Load Load { get; }
    public IReadOnlyList<SupervisedSilo> AllSilos => actions.Silos;
    public List<Fault> Faults { get; } = [];
    public List<string> OutOfOrder { get; } = [];

    /// <summary>The kinds that cannot be injected on this machine.</summary>
    public IReadOnlyList<FaultKind> NotRun =>
        actions.CanCut ? [] : [FaultKind.CutBetweenSilos, FaultKind.CutFromPostgres];

    /// <summary>How often a silo has joined or left beside the faults.</summary>
    public int Moves { get; private set; }

    public TestDatabase Database { get; private init; } = null!;

    /// <summary>Null before <see cref="PutRules"/>.</summary>
    public RulesOfTheRun? Rules { get; private set; }

    /// <summary>An address of this machine that the silos reach.</summary>
    private string Here { get; init; } = "";

    /// <param name="seed">Determines the faults and the load.</param>
    /// <param name="stopSecondsMax">The longest pause of a silo; the shortest is 5 s.</param>
    /// <param name="environment">Each silo's environment by the silo's name, if not the default.</param>
    public static async Task<FaultRun> Start(
        int seed, int stopSecondsMax, Func<string, Dictionary<string, string>>? environment = null)
    {
        var binaries = LocalPostgres.FindBinaries();
        Assert.SkipWhen(binaries is null,
            "A Postgres to stop and start needs its server's binaries (Debian: apt-get install postgresql).");
        var owned = new List<IAsyncDisposable>();
        try
        {
            var network = await SiloNetwork.Create(Silos + 1);
            if (network is not null) owned.Add(network);
            var here = network?.Gateway ?? SiloPlace.Loopback.Address;
            var postgres = await LocalPostgres.Start(binaries, here);
            owned.Add(postgres);
            var database = TestDatabase.On(postgres);
            var silos = Enumerable.Range(0, Silos + 1).Select(index => (Name: $"silo{index + 1}", Index: index))
                .Select(silo =>
                    new SupervisedSilo(silo.Name, database, network?.Place(silo.Index) ?? SiloPlace.Loopback,
                    wanted: silo.Index < Silos, environment?.Invoke(silo.Name))).ToList();
            owned.AddRange(silos);
            var balancer =
                await LoadBalancer.Start([.. silos.Select(silo => ($"{silo.Http.Address}", silo.Http.Port))]);
            owned.Add(balancer);
            var actions = new FaultActions(silos, postgres, database, network, stopSecondsMax);
            await Eventually.True(actions.AllReady,
                () => $"The silos do not become ready: {string.Join("\n\n", silos.Select(silo => silo.LastOutput))}",
                seconds: 60);

            // Half of the clients go through the load balancer, half straight to silos.
            var front = new IPEndPoint(IPAddress.Loopback, balancer.Port);
            IPEndPoint[] addresses = [.. silos.SelectMany(silo => (IPEndPoint[])[front, silo.Http])];
            return new(seed, actions, Load.Start(addresses, seed, Shape), addresses, owned)
            {
                Database = database, Here = here,
            };
        }
        catch
        {
            await Dispose(owned);
            throw;
        }
    }

    /// <summary>Puts rules in force. The silos need <see cref="RulesOfTheRun.Environment"/>.</summary>
    /// <param name="seed">Determines how the receiver of their firings flaps.</param>
    public async Task PutRules(int seed)
    {
        Rules = await RulesOfTheRun.Start(AllSilos[0].App, Here, seed);
        owned.Add(Rules);
    }

    /// <summary>Injects each kind once, or this many of them, in random order.</summary>
    public async Task InjectEach(int kindsMax = int.MaxValue)
    {
        var kinds = Enum.GetValues<FaultKind>().Except(NotRun).ToArray();
        if (Moves > 0) kinds = [.. kinds.Except([FaultKind.SiloJoinsAndLeaves])]; // it does so all the time
        random.Shuffle(kinds);
        foreach (var kind in kinds.Take(kindsMax)) await Inject(kind);
    }

    /// <summary>From now on, beside all other faults, a silo joins, and leaves, and joins again.</summary>
    public void JoinAndLeave(TimeSpan every)
    {
        Moves = 1;
        actions.Guest.Start();
        joiningAndLeaving = Task.Run(async () =>
        {
            while (await Passed(every, finishing.Token))
            {
                if (actions.Guest.IsWanted) await actions.Guest.Terminate();
                else actions.Guest.Start();
                Moves++;
            }
            await actions.Guest.Terminate();
        });
    }

    private static async Task<bool> Passed(TimeSpan time, CancellationToken cancellation)
    {
        await Task.Delay(time, cancellation).ContinueWith(_ => { }, TaskScheduler.Default);
        return !cancellation.IsCancellationRequested;
    }

    /// <summary>Whether clients were still not acknowledged long after the last fault.</summary>
    public bool Hangs { get; private set; }

    /// <summary>
    /// Ends the load. Completes when every event with an id is acknowledged and every firing delivered, or sets <see
    /// cref="Hangs"/>.
    /// </summary>
    public async Task Finish()
    {
        await finishing.CancelAsync();
        await joiningAndLeaving;
        try
        {
            await Load.Finish();
        }
        catch (TimeoutException)
        {
            Hangs = true; // the history shows why
            await Load.Abandon();
        }
        await reading.Finish();
        if (Rules is not null && !Hangs) await Rules.Finish(AllSilos.First(silo => silo.IsWanted).App, Database);
    }

    public async ValueTask DisposeAsync()
    {
        await finishing.CancelAsync();
        try
        {
            await joiningAndLeaving;
        }
        finally
        {
            await Dispose(owned);
            finishing.Dispose();
        }
    }

    public async Task Inject(FaultKind kind)
    {
        var members = actions.Members;
        var names = Enumerable.Range(0, ProbesMax).Select(index => $"probe-{Faults.Count}-{index}").ToList();
        await using var probes = new Probes(names, members, Load.History, reading, random);
        await Acknowledged(probes);

        var homes = await Whereabouts.Of(names, actions.Silos, Database);
        var inhabited = members.Where(homes.Contains).ToList();
        var hurt = inhabited[random.Next(inhabited.Count)];
        var hurtsAll = FaultActions.HurtsAll(kind);
        probes.Use(hurtsAll ? members : [.. members.Except([hurt])]);
        await Acknowledged(probes); // through those; nothing is under way through the hurt silo any more

        var fault = new Fault(kind, hurtsAll ? "all" : hurt.Name, Stopwatch.GetTimestamp());
        Faults.Add(fault);
        TestContext.Current.TestOutputHelper?.WriteLine($"{DateTime.UtcNow:HH:mm:ss.fff} {kind} {fault.Hurt}");
        var affected = hurtsAll ? names : homes[hurt].ToList();
        await actions.Inject(kind, hurt, random,
            isWaitedFor: () => probes.WaitSince(fault.BeganAt, affected),
            beforeWaking: () => probes.AskAlso(hurt, affected));
        await Eventually.True(async () => await actions.AllReady() && probes.AcknowledgedSince(fault.BeganAt, affected),
            $"No recovery from {kind} of {fault.Hurt}.", RecoverySeconds);
        fault.EndedAt = Stopwatch.GetTimestamp();
        probes.Measure(fault, affected);
        TestContext.Current.TestOutputHelper?.WriteLine($"{fault}, {affected.Count} probes");
        await Task.Delay(random.Next(1_000)); // a random moment for the next fault
        OutOfOrder.AddRange(probes.OutOfOrder());
    }

    private static Task Acknowledged(Probes probes)
    {
        var now = Stopwatch.GetTimestamp();
        return Eventually.True(() => Task.FromResult(probes.AcknowledgedSince(now, probes.Fingerprints)),
            "Probes are not acknowledged.", RecoverySeconds);
    }

    private static async Task Dispose(List<IAsyncDisposable> owned)
    {
        foreach (var one in Enumerable.Reverse(owned)) await one.DisposeAsync();
    }
}
