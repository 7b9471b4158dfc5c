using System.Data.Common;
using Tally.Grains.Rules;

namespace Tally.Silo.Storage;

/// <summary>What a rule did.</summary>
/// <param name="Fingerprint"><see cref="Silence.Fingerprint"/> for what no fingerprint did.</param>
/// <param name="Occurred">UTC: when the event occurred; of a silence, the minute of the last one before it.</param>
/// <param name="Fired">UTC: when it was recorded.</param>
/// <param name="RuleId">Of the rule's version.</param>
/// <param name="State">recorded, pending, delivered or parked.</param>
/// <param name="NextAttempt">UTC: when a pending one is tried next.</param>
/// <param name="Ended">UTC: when it was delivered or parked.</param>
/// <param name="Status">The HTTP status of the last try.</param>
/// <param name="Problem">Why the last try failed.</param>
public sealed record StoredFiring(string Fingerprint, long Sequence, DateTime Occurred, DateTime Fired, int RuleId,
    string Rule, int Version, string State, int Attempts, DateTime? NextAttempt, DateTime? Ended, int? Status,
    string? Problem);

/// <summary>A firing's place in the order of time.</summary>
public sealed record FiringPlace(DateTime Fired, string Fingerprint, int RuleId, long Sequence)
{
    /// <summary>Before the newest.</summary>
    public static readonly FiringPlace Beginning =
        new(new DateTime(9999, 12, 31, 0, 0, 0, DateTimeKind.Utc), "", 0, 0);
}

/// <summary>Firings, and the deadlines that become firings.</summary>
public abstract partial class SqlStorage
{
    private readonly string readFirings = scripts["read_firings"];
    private readonly string hasDue = scripts["has_due"];
    private readonly string takeDue = scripts["take_due"];
    private readonly string fireDue = scripts["fire_due"];
    private readonly string feedFirings = scripts["feed_firings"];
    private readonly string addSilence = scripts["add_silence"];
    private readonly string readMinutes = scripts["read_minutes"];

    /// <summary>The newest first.</summary>
    /// <param name="after">Only what is older.</param>
    /// <param name="rule">Of all versions of this rule; null for all.</param>
    /// <param name="fingerprint">Null for all.</param>
    /// <param name="state">Null for all.</param>
    public async Task<IReadOnlyList<StoredFiring>> ReadFirings(FiringPlace after, string? rule, string? fingerprint,
        string? state, int limit, CancellationToken cancellation) =>
        await Scan(readFirings, ReadFiring, cancellation, Time("fired", after.Fired),
            Parameter("after_fingerprint", after.Fingerprint), Parameter("after_rule", after.RuleId),
            Parameter("after_sequence", after.Sequence), Optional("rule", rule),
            Optional("fingerprint", fingerprint), Optional("state", state), Parameter("limit", limit));

    /// <summary>
    /// Fires up to <paramref name="limit"/> deadlines that are due, in one durable transaction. Does nothing while
    /// another silo does it.
    /// </summary>
    /// <param name="now">UTC.</param>
    /// <returns>How many deadlines were taken.</returns>
    public async Task<int> FireDue(DateTime now, int limit)
    {
        if (!(await Query(hasDue, row => row.GetBoolean(0), Time("now", now)))[0]) return 0;
        await RefreshRules(); // a silence whose rule is unknown has ended
        return (await Remove([], _ => Task.FromResult(true), async (at, _) =>
        {
            if (!await TryLockDeadlines(at)) return null;
            await LockMerge(at); // the feed's key is in the order of the commits
            var due = await Query(at, takeDue,
                row => new DueFiring(row.GetInt32(0), row.GetString(1), row.GetInt64(2), ReadTime(row, 3),
                    ReadTime(row, 4)), Time("now", now), Parameter("limit", limit));
            var firing = due.FindAll(one => one.Fingerprint != Silence.Fingerprint);
            foreach (var one in due.Where(one => one.Fingerprint == Silence.Fingerprint))
                firing.AddRange(await FindSilences(at, one, now));
            // By itself: it sees what was committed until these were taken, and what would have removed one waits.
            var fired = await Query(at, fireDue,
                row => (Rule: (long)row.GetInt32(0), Fingerprint: row.GetString(1), Sequence: row.GetInt64(2)),
                Numbers("rules", firing.Select(one => (long)one.Rule)),
                Texts("fingerprints", firing.Select(one => one.Fingerprint)),
                Numbers("sequences", firing.Select(one => one.Sequence)),
                Times("occurred", firing.Select(one => one.Occurred)));
            if (fired.Count > 0)
                await Execute(at, feedFirings, Numbers("rules", fired.Select(one => one.Rule)),
                    Texts("fingerprints", fired.Select(one => one.Fingerprint)),
                    Numbers("sequences", fired.Select(one => one.Sequence)));
            return new Taken(due.Count);
        }))?.Count ?? 0;
    }

    // Those of one rule. It is looked at again when the next one may be due. One that has fired is found again, as long
    // as it lasts, and fires no more.
    private async Task<IEnumerable<DueFiring>> FindSilences(DbTransaction at, DueFiring look, DateTime now)
    {
        if (Rules.Current.Find(look.Rule) is not { Definition: var rule }) return [];
        var minutes = await Query(at, readMinutes, row => ReadTime(row, 0), Parameter("product", rule.Event.Product),
            Parameter("action", rule.Event.Action), Time("from", Silence.LookFrom(look.Due, rule.Within)));
        DateTime last = minutes.Append(look.Occurred).Max(), due = Silence.DueAt(last, rule.Within);
        await AddSilence(at, look.Rule, last, due > now ? due : now + rule.Within);
        return Silence.FindAll(minutes, look.Occurred, now, rule.Within).Select(found => look with
        {
            Sequence = Silence.SequenceOf(found.Since),
            Occurred = found.Since,
        });
    }

    private Task<int> AddSilence(DbTransaction at, int rule, DateTime since, DateTime due) => Execute(at, addSilence,
        Parameter("rule", rule), Parameter("sequence", Silence.SequenceOf(since)), Time("occurred", since),
        Time("due", due));

    /// <summary>The minutes from one on in which events of a product and an action occurred, in their order.</summary>
    public async Task<IReadOnlyList<(DateTime Minute, long Events)>> ReadMinutes(
        string product, string action, DateTime from, CancellationToken cancellation) =>
        await Scan(readMinutes, row => (ReadTime(row, 0), row.GetInt64(1)), cancellation, Parameter("product", product),
            Parameter("action", action), Time("from", from));

    private sealed record DueFiring(int Rule, string Fingerprint, long Sequence, DateTime Occurred, DateTime Due);

    private sealed record Taken(int Count);

    private StoredFiring ReadFiring(DbDataReader row) => new(row.GetString(0), row.GetInt64(1), ReadTime(row, 2),
        ReadTime(row, 3), row.GetInt32(4), row.GetString(5), row.GetInt32(6), row.GetString(7), row.GetInt32(8),
        OptionalTime(row, 9), OptionalTime(row, 10), row.IsDBNull(11) ? null : row.GetInt32(11),
        row.IsDBNull(12) ? null : row.GetString(12));

    private DateTime? OptionalTime(DbDataReader row, int column) => row.IsDBNull(column) ? null : ReadTime(row, column);

    /// <summary>False if another silo fires deadlines now. Else nobody else does, until the transaction ends.</summary>
    protected virtual Task<bool> TryLockDeadlines(DbTransaction at) => Task.FromResult(true);

    protected abstract DbParameter Times(string name, IEnumerable<DateTime> values);
}
