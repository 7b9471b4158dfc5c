using System.Data.Common;

namespace Tally.Silo.Storage;

/// <summary>
/// Questions that only the log can answer. They read it whole: pruned events and erased fingerprints are not in it, and
/// the cost grows with the log. The database sorts what is in the range, by fingerprint and time.
/// </summary>
public abstract partial class SqlStorage
{
    private readonly string scanFunnel = scripts["scan_funnel"];

    /// <param name="limit">Values with a sum of their own.</param>
    /// <param name="timesMax">Times between steps that are kept for the medians, in memory.</param>
    /// <returns>Null if there are more times.</returns>
    public async Task<FunnelSums?> ScanFunnel(
        FunnelQuestion question, int limit, int timesMax, CancellationToken cancellation)
    {
        var scan = new FunnelScan(question, valuesMax);
        await ScanLog(scanFunnel, row =>
        {
            scan.Add(row.GetString(0), ReadTime(row, 1), row.GetString(2), row.IsDBNull(3) ? null : row.GetString(3));
            return scan.Times <= timesMax;
        }, cancellation,
            Texts("actions", question.Steps.Select(step => step.Action).Distinct()),
            Optional("product", question.Product), Parameter("with_properties", scan.ReadsProperties),
            Time("from", question.From), Time("to", After(question.To, question.Within)));
        return scan.Times > timesMax ? null : scan.ToSums(limit);
    }

    /// <param name="goesOn">Takes a row, and says whether there should be another.</param>
    private async Task ScanLog(string sql, Func<DbDataReader, bool> goesOn, CancellationToken cancellation,
        params DbParameter[] parameters)
    {
        try
        {
            await ReadRows(sql, goesOn, parameters, OpenForQuestion, cancellation);
        }
        catch (Exception exception) when (IsDatabaseFailure(exception))
        {
            cancellation.ThrowIfCancellationRequested();
            throw Unavailable(exception);
        }
    }

    // Within the calendar.
    private static DateTime After(DateTime time, TimeSpan length) =>
        time < DateTime.MaxValue - length ? time + length : DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc);
}
