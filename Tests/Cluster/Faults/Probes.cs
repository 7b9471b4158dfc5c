using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using Tally.Silo.Http;
using Tally.Tests.Harness;

namespace Tally.Tests.Cluster.Faults;

/// <summary>
/// Clients that each post to their own fingerprint, one event after another, through silos other than the one to be
/// hurt. So a gap shows that the fingerprint was unavailable, not the way to it.
/// </summary>
internal sealed class Probes : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(25); // the server's deadline is 10 s
    private const double ReadBackShare = 0.3;

    private readonly LoadHistory history;
    private readonly ReadingBack reading;
    private readonly CancellationTokenSource closing = new();
    private readonly ConcurrentDictionary<string, ConcurrentQueue<Acknowledged>> acknowledged = [];
    private readonly ConcurrentDictionary<string, long> sent = []; // when each post under way was sent
    private readonly ConcurrentBag<Task> others = [];
    private readonly Task clients;
    private volatile IReadOnlyList<SupervisedSilo> through;

    private sealed record Acknowledged(long SentAt, long At, long Sequence);

    public Probes(IReadOnlyList<string> fingerprints, IReadOnlyList<SupervisedSilo> through,
        LoadHistory history, ReadingBack reading, Random random)
    {
        (this.through, this.history, this.reading) = (through, history, reading);
        Fingerprints = fingerprints;
        clients = Task.WhenAll(fingerprints.Select(fingerprint =>
        {
            var own = new Random(random.Next());
            return Task.Run(() => Run(fingerprint, own));
        }));
    }

    public IReadOnlyList<string> Fingerprints { get; }

    /// <summary>Makes them ask only these silos from now on.</summary>
    public void Use(IReadOnlyList<SupervisedSilo> silos) => through = silos;

    /// <summary>
    /// Sends one more post for each fingerprint through a silo that may have lost them without knowing it. It decides
    /// from its own memory, and only the log can refuse that.
    /// </summary>
    public void AskAlso(SupervisedSilo silo, IEnumerable<string> fingerprints)
    {
        foreach (var fingerprint in fingerprints)
            others.Add(Task.Run(async () => history.Add(await Post(fingerprint, $"{fingerprint}/late", silo))));
    }

    /// <summary>Whether each fingerprint had a post acknowledged that was sent after that time.</summary>
    public bool AcknowledgedSince(long began, IEnumerable<string> fingerprints) =>
        fingerprints.All(fingerprint => Of(fingerprint).Any(one => one.SentAt >= began));

    /// <summary>
    /// Whether any of these fingerprints waits for the answer to a post that was sent after that time.
    /// </summary>
    public bool WaitSince(long began, IEnumerable<string> fingerprints) =>
        fingerprints.Any(fingerprint => sent.TryGetValue(fingerprint, out var at) && at >= began);

    /// <summary>Adds to a fault that is over how long each fingerprint was unavailable.</summary>
    public void Measure(Fault fault, IEnumerable<string> fingerprints)
    {
        foreach (var acks in fingerprints.Select(fingerprint => Of(fingerprint).ToList()))
        {
            fault.Unavailable.Add(acks.Zip(acks.Skip(1)).Where(pair => fault.Covers(pair.Second.At))
                .Select(pair => Stopwatch.GetElapsedTime(pair.First.At, pair.Second.At)).DefaultIfEmpty().Max());
        }
    }

    /// <summary>Sequences that did not increase from one acknowledgement to the next.</summary>
    public IEnumerable<string> OutOfOrder() => acknowledged.SelectMany(acks => acks.Value.Zip(acks.Value.Skip(1))
        .Where(pair => pair.Second.Sequence <= pair.First.Sequence)
        .Select(pair => $"{acks.Key}: {pair.Second.Sequence} was acknowledged after {pair.First.Sequence}"));

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        await clients;
        await Task.WhenAll(others);
        closing.Dispose();
    }

    private ConcurrentQueue<Acknowledged> Of(string fingerprint) => acknowledged.GetOrAdd(fingerprint, _ => []);

    private async Task Run(string fingerprint, Random random)
    {
        for (var made = 1; !closing.IsCancellationRequested; made++)
        {
            var id = $"{fingerprint}/{made}";
            while (!closing.IsCancellationRequested)
            {
                var at = through[random.Next(through.Count)];
                var sentAt = Stopwatch.GetTimestamp();
                sent[fingerprint] = sentAt;
                var attempt = await Post(fingerprint, id, at);
                sent.TryRemove(fingerprint, out _);
                history.Add(attempt);
                if (attempt.Receipt is { } receipt)
                {
                    Of(fingerprint).Enqueue(new(sentAt, attempt.EndedAt, receipt.Sequence));
                    if (random.NextDouble() < ReadBackShare) reading.Start(fingerprint, receipt.Sequence, random);
                    break;
                }
                if (attempt.Outcome == AttemptOutcome.Unexpected) break;
                await Task.Delay(Pause);
            }
            await Task.Delay(Pause);
        }
    }

    private static async Task<Attempt> Post(string fingerprint, string id, SupervisedSilo at)
    {
        var clock = Stopwatch.StartNew();
        Attempt Is(AttemptOutcome outcome, string answer, Receipt? receipt = null) =>
            new(fingerprint, id, "probe", "post", outcome, receipt, answer, null, clock.Elapsed);

        using var patience = new CancellationTokenSource(Patience);
        try
        {
            using var wire = await HttpWire.Connect(at.Http);
            if (wire is null) return Is(AttemptOutcome.NotConnected, "");
            var form = $"action=post&product=probe&fingerprint={fingerprint}&id={Uri.EscapeDataString(id)}";
            return await wire.Ask(HttpWire.PostOf(form), patience.Token) switch
            {
                null => Is(AttemptOutcome.NoReply, ""),
                { Status: 200 } reply => Is(AttemptOutcome.Acknowledged, reply.Body,
                    JsonSerializer.Deserialize<Receipt>(reply.Body, JsonSerializerOptions.Web)),
                { Status: 503 } reply => Is(AttemptOutcome.Refused, reply.Body),
                { } reply => Is(AttemptOutcome.Unexpected, $"{reply.Status} {reply.Body}"),
            };
        }
        catch (OperationCanceledException)
        {
            return Is(AttemptOutcome.Unexpected, $"no answer from {at.Name}");
        }
    }
}
