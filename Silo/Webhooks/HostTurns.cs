using Tally.Contracts;
using Tally.Grains;

namespace Tally.Silo.Webhooks;

/// <summary>
/// Who may send next. Hosts take turns, each with a few tries at once. One that failed or was slow has a single try at
/// once, and all of these together have half of the tries: however many receivers are down, the other half is left for
/// those that answer.
/// </summary>
internal sealed class HostTurns(Limits limits, TimeProvider clock)
{
    private static readonly TimeSpan SlowTime = TimeSpan.FromSeconds(2);

    // A host is forgotten when it has not been tried for so long.
    private static readonly TimeSpan Remembered = TimeSpan.FromHours(25);

    private readonly Lock gate = new();
    private readonly Dictionary<string, Host> hosts = [];
    private string last = "";

    private sealed class Host
    {
        public int Running { get; set; }
        public bool IsLagging { get; set; }
        public DateTimeOffset Seen { get; set; }
        public LogThrottle Log { get; } = new();
    }

    /// <summary>How many tries each host may begin now.</summary>
    /// <param name="waiting">The hosts for which firings are due.</param>
    public IReadOnlyDictionary<string, int> Share(IEnumerable<string> waiting)
    {
        lock (gate)
        {
            var free = limits.WebhookTriesMax - hosts.Values.Sum(host => host.Running);
            var freeToLagging = limits.WebhookTriesMax / 2
                - hosts.Values.Where(host => host.IsLagging).Sum(host => host.Running);
            var share = new Dictionary<string, int>();
            var turn = InTurn(waiting);
            for (var more = true; more && free > 0;)
            {
                more = false;
                foreach (var name in turn)
                {
                    var host = Find(name);
                    var given = share.GetValueOrDefault(name);
                    if (free == 0 || host.Running + given >= (host.IsLagging ? 1 : limits.WebhookTriesPerHostMax)
                        || host.IsLagging && freeToLagging <= 0) continue;
                    share[name] = given + 1;
                    free--;
                    if (host.IsLagging) freeToLagging--;
                    last = name;
                    more = true;
                }
            }
            return share;
        }
    }

    public void Begin(string host)
    {
        lock (gate) Find(host).Running++;
    }

    /// <param name="outcome">What became of the try; null if it was broken off here.</param>
    public void End(string host, WebhookOutcome? outcome)
    {
        lock (gate)
        {
            var ended = Find(host);
            ended.Running--;
            if (outcome is not null) ended.IsLagging = !outcome.IsDelivered || outcome.Time > SlowTime;
            foreach (var old in hosts.Where(one => one.Value.Running == 0 && Now - one.Value.Seen > Remembered))
                hosts.Remove(old.Key);
        }
    }

    /// <summary>Whether a line about a host may be logged now.</summary>
    /// <param name="held">Lines held back since the last one.</param>
    public bool MayLog(string host, out long held)
    {
        lock (gate) return Find(host).Log.TryPass(out held);
    }

    private DateTimeOffset Now => clock.GetUtcNow();

    // The one after the last that was given something comes first.
    private string[] InTurn(IEnumerable<string> waiting)
    {
        string[] sorted = [.. waiting.Distinct().Order(StringComparer.Ordinal)];
        var first = Array.FindIndex(sorted, name => string.CompareOrdinal(name, last) > 0);
        return first <= 0 ? sorted : [.. sorted[first..], .. sorted[..first]];
    }

    private Host Find(string name)
    {
        if (!hosts.TryGetValue(name, out var host)) hosts[name] = host = new();
        host.Seen = Now;
        return host;
    }
}
