using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Tally.Silo.Http;

namespace Tally.Tests.Harness;

/// <summary>
/// Clients that post events, each over one connection, and record what they know. If there are several addresses, a
/// client whose connection ends goes to the next. The seed determines what is sent, but not when.
/// </summary>
public sealed class Load
{
    public const string HotPrefix = "hot-";

    private static readonly TimeSpan FinishPatience = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan PauseWhenRefused = TimeSpan.FromMilliseconds(25);

    private const int BatchEvents = 6;
    private const int Paths = 7;

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

    /// <summary>Completes when this many more events have been acknowledged.</summary>
    public Task Acknowledges(int more)
    {
        var before = History.Acknowledged;
        return Eventually.True(() => Task.FromResult(History.Acknowledged >= before + more),
            $"Events are not acknowledged (any more): {History}", seconds: 60);
    }

    /// <summary>Sends no new events; completes when every event with an id is acknowledged.</summary>
    public async Task Finish()
    {
        await finishing.CancelAsync();
        await clients.WaitAsync(FinishPatience);
        if (reading is not null) await reading.Finish();
    }

    /// <summary>Makes no new attempts; what was not acknowledged stays so.</summary>
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

    private sealed record Post(string Fingerprint, string? Id, string Product, string Action, string Path)
    {
        // So that the load is counted by a dimension too.
        public string Properties => JsonSerializer.Serialize(new { path = Path });
    }

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
            random = new(unchecked(load.Seed * 31 + index)); // not System.HashCode, which differs between runs
        }

        public bool HasLeft => left.Count == load.addresses.Count;

        private IPEndPoint Address => load.addresses[address % load.addresses.Count];

        public async Task Step()
        {
            var isBatch = load.shape.BatchShare > 0 && random.NextDouble() < load.shape.BatchShare;
            var repeats = !isBatch && acknowledged.Count > 0 && random.NextDouble() < load.shape.RepeatShare;
            var post = repeats ? acknowledged[random.Next(acknowledged.Count)] : Next();
            if (load.shape.IdleMillisecondsMax > 0) await Task.Delay(random.Next(load.shape.IdleMillisecondsMax));
            if (isBatch) await SendBatch([.. Enumerable.Range(0, BatchEvents).Select(_ => Next(withId: true))]);
            else await Send(post, repeats, isThere: false);
        }

        // A batch's answer has only counts. So each of its events is sent once more by itself: its receipt must be a
        // repeat's.
        private async Task SendBatch(Post[] posts)
        {
            var items = posts.Select(post =>
                new { post.Action, post.Product, post.Fingerprint, post.Id, post.Properties });
            var request =
                HttpWire.PostOf("/api/events/batch", "application/json",
                    JsonSerializer.Serialize(items, JsonSerializerOptions.Web));
            while (!load.abandoning.IsCancellationRequested && !HasLeft)
            {
                var clock = Stopwatch.StartNew();
                var (outcome, reply) = await Exchange(request);
                if (outcome == AttemptOutcome.Acknowledged)
                {
                    foreach (var post in posts) await Send(post, repeats: false, isThere: true);
                    return;
                }
                foreach (var post in posts)
                    load.History.Add(
                        new(post.Fingerprint, post.Id, post.Product, post.Action, outcome, null,
                            Describe(outcome, reply), null, clock.Elapsed));
                if (outcome == AttemptOutcome.Unexpected) return;
                await Task.Delay(PauseWhenRefused);
            }
        }

        /// <param name="isThere">Whether it was already acknowledged in a batch.</param>
        private async Task Send(Post post, bool repeats, bool isThere)
        {
            while (!load.abandoning.IsCancellationRequested && !HasLeft)
            {
                var attempt = await Try(post);
                if (isThere && attempt.Receipt is { Duplicate: false })
                    attempt = attempt with
                    {
                        Outcome = AttemptOutcome.Unexpected,
                        Answer = $"lost, of a batch: {attempt.Answer}"
                    };
                load.History.Add(attempt);
                if (attempt.Outcome == AttemptOutcome.Acknowledged && post.Id is not null && !repeats)
                    acknowledged.Add(post);
                if (attempt.Outcome == AttemptOutcome.Acknowledged && random.NextDouble() < load.shape.ReadBackShare)
                    load.reading!.Start(post.Fingerprint, attempt.Receipt!.Sequence, random);
                if (attempt.Outcome is AttemptOutcome.Acknowledged or AttemptOutcome.Unexpected) return;
                await Task.Delay(PauseWhenRefused);
                if (post.Id is null) return;
            }
        }

        public void Dispose() => wire?.Dispose();

        private Post Next(bool withId = false)
        {
            made++;
            var fingerprint = random.NextDouble() < load.shape.HotShare
                ? $"{load.shape.Prefix}{HotPrefix}{random.Next(load.shape.HotFingerprints)}"
                : $"{load.shape.Prefix}new-{index}-{made}";
            // Clients' ids are of two kinds: UUIDs and other strings.
            string? id = random.NextDouble() >= load.shape.WithIdShare && !withId ? null
                : made % 2 == 0 ? $"order {index}/{made}"
                    : new Guid(index, (short)made, (short)(made >> 16), new byte[8]).ToString();
            return new(fingerprint, id, Products[random.Next(Products.Length)], Actions[random.Next(Actions.Length)],
                $"/{made % Paths}");
        }

        private async Task<Attempt> Try(Post post)
        {
            var clock = Stopwatch.StartNew();
            var (outcome, reply) =
                await Exchange(
                    HttpWire.PostOf($"action={post.Action}&product={post.Product}&fingerprint={post.Fingerprint}"
                + $"&properties={Uri.EscapeDataString(post.Properties)}"
                + (post.Id is null ? "" : $"&id={Uri.EscapeDataString(post.Id)}")));
            var receipt = outcome == AttemptOutcome.Acknowledged
                ? JsonSerializer.Deserialize<Receipt>(reply!.Body, JsonSerializerOptions.Web) : null;
            return new(post.Fingerprint, post.Id, post.Product, post.Action, outcome, receipt, Describe(outcome, reply),
                reply?.Headers.GetValueOrDefault("retry-after"), clock.Elapsed);
        }

        private static string Describe(AttemptOutcome outcome, Reply? reply) => outcome == AttemptOutcome.Unexpected
            ? string.Create(CultureInfo.InvariantCulture, $"{reply?.Status} {reply?.Body ?? "no answer"}")
            : reply?.Body ?? "";

        private async Task<(AttemptOutcome Outcome, Reply? Reply)> Exchange(string request)
        {
            wire ??= await HttpWire.Connect(Address);
            if (wire is null)
            {
                address++;
                return (AttemptOutcome.NotConnected, null);
            }
            using var patience = new CancellationTokenSource(load.shape.AnswerPatience);
            try
            {
                var reply = await wire.Ask(request, patience.Token);
                if (reply is null || reply.Closes) Leave(forGood: reply is not null && load.shape.LeavesWhenTold);
                return (reply?.Status switch
                {
                    // 502 and 504 are the load balancer's own: it passed the request on and got no complete answer.
                    null or 502 or 504 => AttemptOutcome.NoReply,
                    200 => AttemptOutcome.Acknowledged,
                    503 => AttemptOutcome.Refused,
                    _ => AttemptOutcome.Unexpected,
                }, reply);
            }
            catch (OperationCanceledException)
            {
                Leave(forGood: false);
                return (AttemptOutcome.Unexpected, null);
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

/// <summary>
/// The seed of a test's random choices: always the same one, so that a change is not refused for what it did not break.
/// TALLY_TEST_SEED is another one, or "random" to look for what no seed has shown yet. It is printed.
/// </summary>
public static class Seed
{
    private const int Usual = 1;

    public static int Next()
    {
        var seed = Environment.GetEnvironmentVariable("TALLY_TEST_SEED") switch
        {
            null or "" => Usual,
            "random" => Random.Shared.Next(),
            var given => int.Parse(given, CultureInfo.InvariantCulture),
        };
        TestContext.Current.TestOutputHelper?.WriteLine($"TALLY_TEST_SEED={seed}");
        return seed;
    }
}
