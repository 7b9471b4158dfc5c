using System.Data.Common;
using Tally.Grains.EventLog;

namespace Tally.Silo.Storage;

public abstract partial class SqlEventLog : IVisitStorage
{
    private readonly string readVisitDeltas = scripts["read_visit_deltas"];
    private readonly string listRecent = scripts["list_recent"];
    private readonly string listFirst = scripts["list_first"];
    private readonly string listTotal = scripts["list_total"];
    private readonly string topFingerprints = scripts["top_fingerprints"];
    private readonly string countUniques = scripts["count_uniques"];
    private readonly string topUniques = scripts["top_uniques"];

    public abstract Task<int> MergeVisits(int limit);

    public async Task<(long Oldest, long Newest)?> ReadVisitDeltas() =>
        (await Read(readVisitDeltas, row => row.IsDBNull(0) ? ((long, long)?)null : (row.GetInt64(0), row.GetInt64(1))))[0];

    public async Task<IReadOnlyList<FingerprintSummary>> ListFingerprints(
        FingerprintPlace after, string? product, int limit, CancellationToken cancellation) =>
        await Ask(after.Order switch
        {
            FingerprintOrder.Recent => listRecent,
            FingerprintOrder.First => listFirst,
            FingerprintOrder.Total => listTotal,
            _ => throw new ArgumentOutOfRangeException(nameof(after)),
        }, ReadSummary, cancellation,
            after.Order == FingerprintOrder.Total
                ? Parameter("after", after.Value) : Time("after", new DateTime(after.Value, DateTimeKind.Utc)),
            Parameter("after_fingerprint", after.Fingerprint), Optional("product", product), Parameter("limit", limit));

    public async Task<IReadOnlyList<FingerprintSummary>> TopFingerprints(
        DateOnly from, DateOnly to, string? product, int limit, CancellationToken cancellation) =>
        await Ask(topFingerprints, ReadSummary, cancellation,
            Parameter("from", from), Parameter("to", to), Optional("product", product), Parameter("limit", limit));

    public async Task<(long Events, long UniqueFingerprints)> CountUniques(
        DateOnly from, DateOnly to, string? product, CancellationToken cancellation) =>
        (await Ask(countUniques, row => (row.GetInt64(0), row.GetInt64(1)), cancellation,
            Parameter("from", from), Parameter("to", to), Optional("product", product)))[0];

    public async Task<IReadOnlyList<ProductUniques>> TopUniques(
        DateOnly from, DateOnly to, string? product, int limit, CancellationToken cancellation) =>
        await Ask(topUniques, row => new ProductUniques(row.GetString(0), row.GetInt64(1), row.GetInt64(2)), cancellation,
            Parameter("from", from), Parameter("to", to), Optional("product", product), Parameter("limit", limit));

    /// <summary>A connection for a question that scans much: not one that events would wait for.</summary>
    protected abstract ValueTask<DbConnection> OpenForQuestion(CancellationToken cancellation);

    private Task<List<T>> Ask<T>(string sql, Func<DbDataReader, T> map, CancellationToken cancellation, params DbParameter[] parameters) =>
        Read(sql, map, parameters, OpenForQuestion, cancellation);

    private DbParameter Optional(string name, string? value) => Parameter(name, value ?? (object)DBNull.Value);

    private FingerprintSummary ReadSummary(DbDataReader row) =>
        new(row.GetString(0), row.GetInt64(1), ReadTime(row, 2), ReadTime(row, 3));

    private Visit ReadVisit(DbDataReader row) => new(row.GetFieldValue<DateOnly>(0), row.GetString(1), row.GetString(2),
        row.GetInt64(3), ReadTime(row, 4), ReadTime(row, 5));
}
