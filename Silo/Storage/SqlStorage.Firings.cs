using System.Data.Common;

namespace Tally.Silo.Storage;

/// <summary>What a rule did.</summary>
/// <param name="Occurred">UTC: when the event occurred.</param>
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
        return (await Remove([], _ => Task.FromResult(true), async (at, _) =>
        {
            if (!await TryLockDeadlines(at)) return null;
            var due = await Query(at, takeDue,
                row => (Rule: row.GetInt32(0), Fingerprint: row.GetString(1), Sequence: row.GetInt64(2),
                    Occurred: ReadTime(row, 3)), Time("now", now), Parameter("limit", limit));
            // By itself: it sees what was committed until these were taken, and what would have removed one waits.
            await Execute(at, fireDue, Numbers("rules", due.Select(one => (long)one.Rule)),
                Texts("fingerprints", due.Select(one => one.Fingerprint)),
                Numbers("sequences", due.Select(one => one.Sequence)),
                Times("occurred", due.Select(one => one.Occurred)));
            return new Taken(due.Count);
        }))?.Count ?? 0;
    }

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
