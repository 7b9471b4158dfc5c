using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Tally.Grains.Rules;
using Tally.Tests.Harness;

namespace Tally.Tests.Cluster.Faults;

/// <summary>
/// Rules over what the load and the probes post, with a receiver that flaps: what they fired, and what came of it. That
/// they fired what they should is for app verify.
/// </summary>
internal sealed class RulesOfTheRun : IAsyncDisposable
{
    private const int DeliverySeconds = 180;

    /// <summary>
    /// Each silo's: tries follow one another soon, but seldom so often that a firing is parked; and what a silo was
    /// sending when it died comes back soon.
    /// </summary>
    public static readonly IReadOnlyDictionary<string, string> Environment = new Dictionary<string, string>
    {
        ["APP_WEBHOOK_NETWORKS"] = "10.0.0.0/8,127.0.0.0/8",
        ["Limits__WebhookTrySecondsMax"] = "2",
        ["Limits__WebhookLeaseSeconds"] = "6",
        ["Limits__WebhookRetrySeconds"] = string.Join(',', Enumerable.Repeat("1", 20)),
    };

    private static readonly Rule[] Rules =
    [
        new("every", """{"event":{"product":"k8s","action":"buy"},"count":{"every":20}}""", IsOrdered: true),
        new("probed", """{"event":{"product":"probe","action":"post"},"count":{"every":20}}""", IsOrdered: true),
        new("first", """
            {"event":{"product":"docs","action":"view","where":[{"property":"path","is":"/0"}]},"count":"first"}
            """, How: "once"),
        new("then", """
            {"event":{"product":"docs","action":"click","where":[{"property":"path","is":"/1"}]},
             "then":{"event":{"product":"docs","action":"buy","where":[{"property":"path","is":"/2"}]},"within":"PT1M"}}
            """),
        new("without", """
            {"event":{"product":"blog","action":"view","where":[{"property":"path","is":"/3"}]},
             "without":{"event":{"product":"blog","action":"click"},"within":"PT1M"}}
            """),
        new("times", """
            {"event":{"product":"k8s","action":"click","where":[{"property":"path","is":"/4"}]},
             "count":{"times":3,"within":"PT1M"}}
            """, IsTold: false),
    ];

    private readonly FlappingReceiver receiver;
    private readonly Dictionary<string, byte[]> secrets = [];

    // As it was at the end: firings by their ids, requests, and those of them that were taken.
    private Dictionary<string, Firing> firings = [];
    private IReadOnlyList<Received> requests = [];
    private IReadOnlyList<Received> taken = [];
    private int takenBeforeReplay;
    private long replayed;

    private sealed record Rule(
        string Name, string When, string How = "each", bool IsOrdered = false, bool IsTold = true);

    private sealed record Firing(string Id, string Rule, string Fingerprint, long Sequence, string State);

    private RulesOfTheRun(FlappingReceiver receiver) => this.receiver = receiver;

    /// <param name="silo">Is told the rules.</param>
    /// <param name="address">Where the receiver listens; the silos reach it.</param>
    /// <param name="seed">Determines how the receiver flaps.</param>
    public static async Task<RulesOfTheRun> Start(IServing silo, string address, int seed)
    {
        var run = new RulesOfTheRun(await FlappingReceiver.Start(address, seed));
        try
        {
            foreach (var rule in Rules) await run.Put(silo, rule);
            return run;
        }
        catch
        {
            await run.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Lets the receiver stay well, and completes when all that fired until now is delivered. What was parked is
    /// replayed.
    /// </summary>
    public async Task Finish(IServing silo, TestDatabase database)
    {
        await receiver.StayWell();
        var now = (await database.Query("select statement_timestamp()::text", row => row.GetString(0)))[0];
        long pending = 0;
        await Eventually.True(async () =>
        {
            pending = (await database.Query(
                $"select count(*) from firings where state = 'pending' and fired <= '{now}'",
                row => row.GetInt64(0)))[0];
            return pending == 0 && await Replay(silo) == 0;
        }, () => $"{pending} firings are not delivered.", DeliverySeconds);

        // A request that is seen before the firings are read has its firing among these.
        requests = receiver.All;
        firings = (await Read(database)).ToDictionary(firing => firing.Id);
        taken = receiver.Taken;
    }

    /// <summary>What is wrong, once the run has finished.</summary>
    public IEnumerable<string> Violations()
    {
        // Of the others it depends on the machine's speed.
        if (firings.Values.All(firing => firing.Rule != "probed")) yield return "no rule has fired";

        foreach (var request in requests)
            if (!firings.TryGetValue(request.Id, out var firing))
                yield return $"a webhook without its firing: {request.Id} {request.Body}";
            else if ((firing.Fingerprint, firing.Sequence) != (request.Fingerprint, request.Sequence))
                yield return $"a webhook of another event: {firing}, but {request.Body}";
            else if (!IsSigned(request, secrets[firing.Rule]))
                yield return $"a webhook with a wrong signature: {firing}";

        var ids = taken.Select(request => request.Id).ToHashSet();
        foreach (var firing in firings.Values.Where(firing => firing.State == "delivered" && !ids.Contains(firing.Id)))
            yield return $"not delivered, although it is noted: {firing}";

        var ordered = Rules.Where(rule => rule.IsOrdered).Select(rule => rule.Name).ToHashSet();
        var first = taken.Take(takenBeforeReplay).DistinctBy(request => request.Id)
            .Where(request => firings.ContainsKey(request.Id)).Select(request => firings[request.Id]);
        foreach (var same in first.Where(firing => ordered.Contains(firing.Rule))
            .GroupBy(firing => (firing.Rule, firing.Fingerprint)))
            foreach (var (one, next) in same.Zip(same.Skip(1)))
                if (one.Sequence > next.Sequence) yield return $"webhooks out of order: {next} after {one}";
    }

    /// <summary>How much happened.</summary>
    public override string ToString()
    {
        var told = firings.Values.Where(firing => firing.State != "recorded").ToList();
        var byRule = string.Join(", ", firings.Values.CountBy(firing => firing.Rule)
            .Select(rule => string.Create(CultureInfo.InvariantCulture, $"{rule.Key} {rule.Value}")));
        return string.Create(CultureInfo.InvariantCulture,
            $"{firings.Count} firings ({byRule}), {told.Count} to be told: "
                + $"{told.Count(firing => firing.State == "delivered")} delivered, {replayed} of them after a replay; "
                + $"received {requests.Count} times, taken {taken.Count} times.");
    }

    public ValueTask DisposeAsync() => receiver.DisposeAsync();

    private async Task Put(IServing silo, Rule rule)
    {
        var webhook = rule.IsTold
            ? $$""","webhook":{"url":"{{receiver.Url}}","ordered":{{(rule.IsOrdered ? "true" : "false")}}}""" : "";
        var answer = await silo.PutRule(rule.Name, $$"""{"when":{{rule.When}},"how":"{{rule.How}}"{{webhook}}}""");
        Assert.True(answer.Status == 201, $"{rule.Name}: {answer.Status} {answer.Body}");
        if (answer.Text("secret") is { } secret)
            secrets[rule.Name] = Convert.FromBase64String(secret["whsec_".Length..]);
    }

    // How many firings were parked.
    private async Task<long> Replay(IServing silo)
    {
        if (replayed == 0) takenBeforeReplay = receiver.Taken.Count;
        long parked = 0;
        foreach (var rule in Rules.Where(rule => rule.IsTold))
        {
            var answer = await silo.PostEmpty("/api/firings/replay?rule=" + rule.Name);
            Assert.True(answer.Status == 200, $"{rule.Name}: {answer.Status} {answer.Body}");
            parked += answer.Body.GetProperty("replayed").GetInt64();
        }
        replayed += parked;
        return parked;
    }

    private static Task<List<Firing>> Read(TestDatabase database) => database.Query("""
        select rules.name, rules.version, firings.fingerprint, firings.sequence, firings.state
        from firings
        join rules on rules.id = firings.rule
        """, row => new Firing(
            FiringId.Create(row.GetString(0), row.GetInt32(1), row.GetString(2), row.GetInt64(3)), row.GetString(0),
            row.GetString(2), row.GetInt64(3), row.GetString(4)));

    private static bool IsSigned(Received request, byte[] secret)
    {
        var signed = Encoding.UTF8.GetBytes($"{request.Id}.{request.Headers["webhook-timestamp"]}.{request.Body}");
        return request.Headers["webhook-signature"]
            == "v1," + Convert.ToBase64String(HMACSHA256.HashData(secret, signed));
    }
}
