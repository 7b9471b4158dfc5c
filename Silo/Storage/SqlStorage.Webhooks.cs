using System.Data.Common;

namespace Tally.Silo.Storage;

/// <summary>A version of a rule with firings to be sent, or to be parked because nobody takes them any more.</summary>
/// <param name="Rule">The id of the version that fired.</param>
/// <param name="Name">Of the rule.</param>
/// <param name="Version">The version that fired.</param>
/// <param name="Target">The version in force; null if the rule was removed.</param>
public sealed record DueRule(int Rule, string Name, int Version, RuleTarget? Target);

/// <summary>A rule's version in force: it says where firings of all its versions go.</summary>
/// <param name="Id">Of the version.</param>
/// <param name="Definition">JSON.</param>
/// <param name="IsDisabled">Whether its receiver wants no more.</param>
public sealed record RuleTarget(int Id, int Version, string Definition, bool IsDisabled);

/// <summary>A firing that this silo alone may send for some time.</summary>
/// <param name="Rule">The id of the version that fired.</param>
/// <param name="Attempts">Tries that have failed.</param>
/// <param name="Lease">Until when, by the database's clock. No other lease of the firing has the same end.</param>
public sealed record LeasedFiring(
    int Rule, string Fingerprint, long Sequence, DateTime Occurred, int Attempts, DateTime Lease);

/// <param name="Properties">JSON.</param>
public sealed record FiringEvent(Guid Id, string Product, string Action, string? Properties);

/// <summary>
/// Firings on their way to receivers. Silos lease them from each other by the database's clock, so that no transaction
/// is open while one is sent, and those of a silo that dies come back.
/// </summary>
public abstract partial class SqlStorage
{
    // Firings that one lease looks at. In an ordered rule most of them may wait for others.
    private const int ExaminedMax = 100;

    private readonly string readDueRules = scripts["read_due_rules"];
    private readonly string readDueFirings = scripts["read_due_firings"];
    private readonly string findEarlierFiring = scripts["find_earlier_firing"];
    private readonly string leaseFiring = scripts["lease_firing"];
    private readonly string readFiringEvent = scripts["read_firing_event"];
    private readonly string endFiring = scripts["end_firing"];
    private readonly string wakeFiring = scripts["wake_firing"];
    private readonly string retryFiring = scripts["retry_firing"];
    private readonly string releaseFiring = scripts["release_firing"];
    private readonly string parkFirings = scripts["park_firings"];
    private readonly string replayFirings = scripts["replay_firings"];
    private readonly string disableRule = scripts["disable_rule"];
    private readonly string readPendingFirings = scripts["read_pending_firings"];
    private readonly string readTarget = scripts["read_target"];
    private readonly string readRuleSecrets = scripts["read_rule_secrets"];
    private readonly string addFirstSecret = scripts["add_first_secret"];
    private readonly string replaceSecret = scripts["replace_secret"];
    private readonly string deleteSecrets = scripts["delete_secrets"];

    /// <summary>Versions of rules with firings that are due.</summary>
    public async Task<IReadOnlyList<DueRule>> ReadDueRules() => await Query(readDueRules, row =>
        new DueRule(row.GetInt32(0), row.GetString(1), row.GetInt32(2), row.IsDBNull(3) ? null
            : new(row.GetInt32(3), row.GetInt32(4), row.GetString(5), row.GetBoolean(6))));

    /// <summary>Where a rule's firings go; null if no rule of this name is in force.</summary>
    public async Task<RuleTarget?> ReadTarget(string rule) => (await Query(readTarget, row =>
        new RuleTarget(row.GetInt32(0), row.GetInt32(1), row.GetString(2), row.GetBoolean(3)),
        Parameter("name", rule))).FirstOrDefault();

    /// <summary>
    /// Leases firings that are due, in one transaction. In an ordered rule it passes over those that wait for an
    /// earlier one of their fingerprint; they are due again when that is delivered or parked.
    /// </summary>
    /// <param name="ordered">Whether the rule is.</param>
    /// <param name="limit">How many at most.</param>
    /// <param name="lease">For how long.</param>
    /// <returns>What is leased, and whether there may be more.</returns>
    public Task<(IReadOnlyList<LeasedFiring> Leased, bool HasMore)> LeaseFirings(
        DueRule rule, bool ordered, int limit, TimeSpan lease) => InTransaction(async at =>
    {
        // A statement of its own: what the next ones see is newer than the locks, so none waits for a firing that has
        // just ended.
        var examined = ordered ? Math.Max(limit, ExaminedMax) : limit;
        var due = await Query(at, readDueFirings, row => (Fingerprint: row.GetString(0), Sequence: row.GetInt64(1),
            Occurred: ReadTime(row, 2), Attempts: row.GetInt32(3)), Parameter("rule", rule.Rule),
            Parameter("limit", examined));
        var leased = new List<LeasedFiring>();
        var waiting = 0;
        foreach (var firing in due)
        {
            if (leased.Count == limit) break;
            var earlier = ordered ? await Query(at, findEarlierFiring, row => ReadTime(row, 0),
                Parameter("fingerprint", firing.Fingerprint), Parameter("sequence", firing.Sequence),
                Parameter("name", rule.Name)) : [];
            DbParameter until = earlier is [var time] ? Time("until", time) : Parameter("until", DBNull.Value);
            var end = await Query(at, leaseFiring, row => ReadTime(row, 0), until,
                Parameter("seconds", lease.TotalSeconds), Parameter("fingerprint", firing.Fingerprint),
                Parameter("rule", rule.Rule), Parameter("sequence", firing.Sequence));
            if (earlier.Count > 0) waiting++;
            else leased.Add(new(rule.Rule, firing.Fingerprint, firing.Sequence, firing.Occurred, firing.Attempts,
                end[0]));
        }
        return ((IReadOnlyList<LeasedFiring>)leased,
            HasMore: leased.Count == limit || waiting + leased.Count == examined);
    });

    /// <summary>The event that fired; null if it is in the log no more.</summary>
    public async Task<FiringEvent?> ReadFiringEvent(LeasedFiring firing) => (await Query(readFiringEvent, row =>
        new FiringEvent(row.GetGuid(0), row.GetString(1), row.GetString(2), row.IsDBNull(3) ? null : row.GetString(3)),
        Parameter("fingerprint", firing.Fingerprint), Parameter("sequence", firing.Sequence))).FirstOrDefault();

    /// <summary>
    /// Notes that a firing is delivered, or that it is parked. If others waited for it, the next is due.
    /// </summary>
    /// <param name="problem">Why it is parked; null if it is delivered.</param>
    /// <returns>False if it was settled by somebody else.</returns>
    public Task<bool> EndFiring(LeasedFiring firing, DueRule rule, bool ordered, int? status, string? problem) =>
        InTransaction(async at =>
        {
            var hasEnded = await Execute(at, endFiring, [.. Settling(firing, status, problem),
                Parameter("state", problem is null ? "delivered" : "parked")]) > 0;
            if (ordered && hasEnded)
                await Execute(at, wakeFiring, Parameter("fingerprint", firing.Fingerprint),
                    Parameter("sequence", firing.Sequence), Parameter("name", rule.Name));
            return hasEnded;
        });

    /// <summary>Notes that a try failed, and when the next one comes.</summary>
    /// <returns>False if somebody else has the firing by now.</returns>
    public async Task<bool> RetryFiring(LeasedFiring firing, TimeSpan delay, int? status, string problem) =>
        await Change(retryFiring, () => [.. Settling(firing, status, problem),
            Parameter("seconds", Math.Round(delay.TotalSeconds, 3))]) > 0;

    /// <summary>Gives a firing back that was not sent.</summary>
    public Task ReleaseFiring(LeasedFiring firing) => Change(releaseFiring, () => Keys(firing));

    /// <summary>Parks pending firings of a version of a rule.</summary>
    /// <returns>How many: fewer than the limit if these were all.</returns>
    public Task<int> ParkFirings(int rule, string problem, int limit) => Change(parkFirings, () =>
        [Parameter("rule", rule), Parameter("problem", problem), Parameter("limit", limit)]);

    /// <summary>Makes firings of a rule pending again, the oldest first.</summary>
    /// <param name="fingerprint">Only this one's; null for all.</param>
    /// <param name="state">parked or delivered.</param>
    /// <returns>How many: fewer than the limit if these were all.</returns>
    public Task<int> ReplayFirings(string rule, string? fingerprint, string state, int limit) =>
        Change(replayFirings, () => [Parameter("name", rule), Parameter("fingerprint", fingerprint ?? ""),
            Parameter("state", state), Parameter("limit", limit)]);

    /// <summary>Notes that the receiver of a version of a rule wants no more.</summary>
    public Task DisableRule(int id) => Change(disableRule, () => [Parameter("id", id)]);

    /// <summary>How many firings are still to be delivered, and when the oldest of them was recorded.</summary>
    public async Task<(long Count, DateTime? Oldest)> ReadPendingFirings() => (await Query(readPendingFirings,
        row => (row.GetInt64(0), row.IsDBNull(1) ? (DateTime?)null : ReadTime(row, 1))))[0];

    /// <summary>The secrets that sign a rule's webhooks now, the newest first.</summary>
    public async Task<IReadOnlyList<byte[]>> ReadRuleSecrets(string rule, DateTime now, int limit) =>
        await Query(readRuleSecrets, row => row.GetFieldValue<byte[]>(0), Parameter("name", rule), Time("now", now),
            Parameter("limit", limit));

    /// <summary>Keeps a secret for a rule that has none.</summary>
    /// <returns>False if it has one.</returns>
    public async Task<bool> AddFirstSecret(string rule, byte[] secret, DateTime now) =>
        (await Query(addFirstSecret, _ => true, Parameter("name", rule), Parameter("secret", secret),
            Time("now", now))).Count > 0;

    /// <summary>Keeps a new secret for a rule. The others expire.</summary>
    /// <param name="kept">How many there are then at most.</param>
    public Task ReplaceSecret(string rule, byte[] secret, DateTime now, DateTime expires, int kept) =>
        Query(replaceSecret, _ => true, Parameter("name", rule), Parameter("secret", secret), Time("now", now),
            Time("expires", expires), Parameter("kept", kept));

    /// <summary>Removes a rule's secrets.</summary>
    public Task DeleteSecrets(string rule) => Query(deleteSecrets, _ => true, Parameter("name", rule));

    private DbParameter[] Settling(LeasedFiring firing, int? status, string? problem) =>
        [.. Keys(firing), Parameter("status", status ?? (object)DBNull.Value), Optional("problem", problem)];

    private DbParameter[] Keys(LeasedFiring firing) =>
    [
        Parameter("fingerprint", firing.Fingerprint), Parameter("rule", firing.Rule),
        Parameter("sequence", firing.Sequence), Time("lease", firing.Lease),
    ];

    // On SQLite they take their turn with commits, where a connection of their own might wait too long.
    private Task<int> Change(string sql, Func<DbParameter[]> parameters) =>
        InTransaction(async at => await Execute(at, sql, parameters()));

    private async Task<T> InTransaction<T>(Func<DbTransaction, Task<T>> work) =>
        (await Remove([], _ => Task.FromResult(true), async (at, _) => new Done<T>(await work(at))))!.Value;

    private sealed record Done<T>(T Value);
}
