using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Tally.Silo.Http;

namespace Tally.Tests.Harness;

/// <summary>How a load looks. The defaults mix everything that a real one has.</summary>
public sealed record LoadShape
{
    public int Clients { get; init; } = 24;
    public int HotFingerprints { get; init; } = 16;

    /// <summary>What its fingerprints begin with, where others are in the same log.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>Of events: how many go to a hot fingerprint; the others have a new one each.</summary>
    public double HotShare { get; init; } = 0.6;

    /// <summary>Of events: how many have an id of their client, which retries until they are acknowledged.</summary>
    public double WithIdShare { get; init; } = 0.6;

    /// <summary>Of steps: how many repeat an id that was acknowledged before.</summary>
    public double RepeatShare { get; init; } = 0.15;

    /// <summary>Of acknowledgements: how many are followed by a query, through any of the addresses.</summary>
    public double ReadBackShare { get; init; }

    /// <summary>Longer than the server's deadline and any stop of its process: nothing takes longer, unless it hangs.</summary>
    public TimeSpan AnswerPatience { get; init; } = TimeSpan.FromSeconds(40);

    /// <summary>Up to so long a client leaves its connection idle before the next event.</summary>
    public int IdleMillisecondsMax { get; init; }

    /// <summary>A client that is told "Connection: close" leaves that address for good, as behind a load balancer.</summary>
    public bool LeavesWhenTold { get; init; }
}

/// <summary>
/// Clients that post events as fast as they are answered, each over one connection, and write down what they know.
/// Faults are others' to make meanwhile; with several addresses, a client whose connection ends goes to the next.
/// What is sent follows from the seed; when it is sent does not.
/// </summary>
public sealed class Load
{
    public const string HotPrefix = "hot-";

    private static readonly TimeSpan FinishPatience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan PauseWhenRefused = TimeSpan.FromMilliseconds(25);

    private static readonly string[] Products = ["k8s", "docs", "blog"];
    private static readonly string[] Actions = ["view", "click", "buy"];

    private readonly IReadOnlyList<IPEndPoint> addresses;
    private readonly ReadingBack? reading;
    private readonly LoadShape shape;
    private readonly CancellationTokenSource finishing = new();
    private readonly CancellationTokenSource abandoning = new();
    private readonly Task clients;

    private Load(IReadOnlyList<IPEndPoint> addresses, int seed, LoadShape shape)
    {
        (this.addresses, this.shape, Seed) = (addresses, shape, seed);
        if (shape.ReadBackShare > 0) reading = new(addresses, History);
        clients = Task.WhenAll(Enumerable.Range(0, shape.Clients).Select(index => Task.Run(() => Run(index))));
    }

    public int Seed { get; }
    public LoadHistory History { get; } = new();

    /// <summary>Whether every client has left: see <see cref="LoadShape.LeavesWhenTold"/>.</summary>
    public bool IsOver => clients.IsCompleted;

    public static Load Start(IReadOnlyList<int> ports, int seed, LoadShape? shape = null) =>
        Start([.. ports.Select(port => new IPEndPoint(IPAddress.Loopback, port))], seed, shape);

    public static Load Start(IReadOnlyList<IPEndPoint> addresses, int seed, LoadShape? shape = null) =>
        new(addresses, seed, shape ?? new());

    /// <summary>Completes when so many more events have been acknowledged.</summary>
    public Task Acknowledges(int more)
    {
        var before = History.Acknowledged;
        return Eventually.True(() => Task.FromResult(History.Acknowledged >= before + more),
            $"Events are not acknowledged (any more): {History}", seconds: 60);
    }

    /// <summary>No new events; completes when every event with an id is acknowledged.</summary>
    public async Task Finish()
    {
        await finishing.CancelAsync();
        await clients.WaitAsync(FinishPatience);
        if (reading is not null) await reading.Finish();
    }

    /// <summary>No new attempts; what was not acknowledged stays so.</summary>
    public async Task Abandon()
    {
        await finishing.CancelAsync();
        await abandoning.CancelAsync();
        await clients.WaitAsync(FinishPatience);
    }

    private async Task Run(int index)
    {
        using var client = new Client(this, index);
        while (!finishing.IsCancellationRequested && !client.HasLeft) await client.Step();
    }

    private sealed record Post(string Fingerprint, string? Id, string Product, string Action);

    private sealed class Client : IDisposable
    {
        private readonly Load load;
        private readonly int index;
        private readonly Random random;
        private readonly List<Post> acknowledged = [];
        private readonly HashSet<IPEndPoint> left = [];
        private HttpWire? wire;
        private int address;
        private int made;

        public Client(Load load, int index)
        {
            (this.load, this.index, address) = (load, index, index);
            random = new(unchecked(load.Seed * 31 + index)); // System.HashCode differs between runs; a seed must not
        }

        public bool HasLeft => left.Count == load.addresses.Count;

        private IPEndPoint Address => load.addresses[address % load.addresses.Count];

        public async Task Step()
        {
            var repeats = acknowledged.Count > 0 && random.NextDouble() < load.shape.RepeatShare;
            var post = repeats ? acknowledged[random.Next(acknowledged.Count)] : Next();
            if (load.shape.IdleMillisecondsMax > 0) await Task.Delay(random.Next(load.shape.IdleMillisecondsMax));
            while (!load.abandoning.IsCancellationRequested && !HasLeft)
            {
                var attempt = await Try(post);
                load.History.Add(attempt);
                if (attempt.Outcome == AttemptOutcome.Acknowledged && post.Id is not null && !repeats) acknowledged.Add(post);
                if (attempt.Outcome == AttemptOutcome.Acknowledged && random.NextDouble() < load.shape.ReadBackShare)
                    load.reading!.Start(post.Fingerprint, attempt.Receipt!.Sequence, random);
                if (attempt.Outcome is AttemptOutcome.Acknowledged or AttemptOutcome.Unexpected) return;
                await Task.Delay(PauseWhenRefused);
                if (post.Id is null) return;
            }
        }

        public void Dispose() => wire?.Dispose();

        private Post Next()
        {
            made++;
            var fingerprint = random.NextDouble() < load.shape.HotShare
                ? $"{load.shape.Prefix}{HotPrefix}{random.Next(load.shape.HotFingerprints)}" : $"{load.shape.Prefix}new-{index}-{made}";
            // Both kinds of client's id: a UUID, and any other string.
            string? id = random.NextDouble() >= load.shape.WithIdShare ? null
                : made % 2 == 0 ? $"order {index}/{made}" : new Guid(index, (short)made, (short)(made >> 16), new byte[8]).ToString();
            return new(fingerprint, id, Products[random.Next(Products.Length)], Actions[random.Next(Actions.Length)]);
        }

        private async Task<Attempt> Try(Post post)
        {
            var clock = Stopwatch.StartNew();
            Attempt Is(AttemptOutcome outcome, string answer, Receipt? receipt = null, string? retryAfter = null) => new(
                post.Fingerprint, post.Id, post.Product, post.Action, outcome, receipt, answer, retryAfter, clock.Elapsed);

            wire ??= await HttpWire.Connect(Address);
            if (wire is null)
            {
                address++;
                return Is(AttemptOutcome.NotConnected, "");
            }
            var form = $"action={post.Action}&product={post.Product}&fingerprint={post.Fingerprint}"
                + (post.Id is null ? "" : $"&id={Uri.EscapeDataString(post.Id)}");
            using var patience = new CancellationTokenSource(load.shape.AnswerPatience);
            try
            {
                var reply = await wire.Ask(HttpWire.PostOf(form), patience.Token);
                if (reply is null || reply.Closes) Leave(forGood: reply is not null && load.shape.LeavesWhenTold);
                return reply switch
                {
                    null => Is(AttemptOutcome.NoReply, ""),
                    { Status: 200 } => Is(AttemptOutcome.Acknowledged, reply.Body,
                        JsonSerializer.Deserialize<Receipt>(reply.Body, JsonSerializerOptions.Web)),
                    // The load balancer's own words: of a request that it passed on and got no whole answer to.
                    { Status: 502 or 504 } => Is(AttemptOutcome.NoReply, reply.Body),
                    { Status: 503 } => Is(AttemptOutcome.Refused, reply.Body, null, reply.Headers.GetValueOrDefault("retry-after")),
                    _ => Is(AttemptOutcome.Unexpected, string.Create(CultureInfo.InvariantCulture, $"{reply.Status} {reply.Body}")),
                };
            }
            catch (OperationCanceledException)
            {
                Leave(forGood: false);
                return Is(AttemptOutcome.Unexpected, "no answer");
            }
        }

        private void Leave(bool forGood)
        {
            wire?.Dispose();
            wire = null;
            if (forGood) left.Add(Address);
            address++;
            for (var i = 0; i < load.addresses.Count && left.Contains(Address); i++) address++;
        }
    }
}

/// <summary>Where a test's chance comes from: printed, and taken from TALLY_TEST_SEED to have it again.</summary>
public static class Seed
{
    public static int Next()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("TALLY_TEST_SEED"), out var given)
            ? given : Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"TALLY_TEST_SEED={seed}");
        return seed;
    }
}
