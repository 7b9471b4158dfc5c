using System.Data.Common;

namespace Tally.Silo.Storage;

/// <summary>
/// Questions that only the log can answer. They read it whole: pruned events and erased fingerprints are not in it, and
/// the cost grows with the log. The database sorts what is in the range, by fingerprint and time.
/// </summary>
public abstract partial class SqlStorage
{
    private readonly string scanFunnel = scripts["scan_funnel"];
    private readonly string scanSessions = scripts["scan_sessions"];
    private readonly string readSessions = scripts["read_sessions"];

    /// <param name="limit">Values with a sum of their own.</param>
    /// <param name="timesMax">Times between steps that are kept for the medians, in memory.</param>
    /// <returns>Null if there are more times.</returns>
    public async Task<FunnelSums?> ScanFunnel(
        FunnelQuestion question, int limit, int timesMax, CancellationToken cancellation)
    {
        var scan = new FunnelScan(question, valuesMax);
        await ScanRows(scanFunnel, row =>
        {
            scan.Add(row.GetString(0), ReadTime(row, 1), row.GetString(2), row.IsDBNull(3) ? null : row.GetString(3));
            return scan.Times <= timesMax;
        }, cancellation,
            Texts("actions", question.Steps.Select(step => step.Action).Distinct()),
            Optional("product", question.Product), Parameter("with_properties", scan.ReadsProperties),
            Time("from", question.From), Time("to", After(question.To, question.Within)));
        var sums = scan.ToSums(limit); // with the last fingerprint's times
        return scan.Times > timesMax ? null : sums;
    }

    /// <summary>Totals of all sessions that begin in the range.</summary>
    /// <param name="limit">Pages in each list.</param>
    /// <param name="timesMax">Lengths that are kept for the median, in memory.</param>
    /// <returns>Null if there are more sessions.</returns>
    public async Task<SessionTotals?> ScanSessions(
        SessionQuestion question, int limit, int timesMax, CancellationToken cancellation)
    {
        var sums = new SessionSums(valuesMax);
        await ReadEachSession(scanSessions, question, session =>
        {
            sums.Add(session);
            return sums.Sessions <= timesMax;
        }, cancellation);
        return sums.Sessions > timesMax ? null : sums.ToTotals(limit);
    }

    /// <summary>A fingerprint's newest sessions that begin in the range, newest first.</summary>
    public async Task<IReadOnlyList<Session>> ReadSessions(
        string fingerprint, SessionQuestion question, int limit, CancellationToken cancellation)
    {
        List<Session> newest = [];
        void Cut() => newest = [.. newest.OrderByDescending(session => session.Start)
            .ThenBy(session => session.Product, StringComparer.Ordinal).Take(limit)];
        await ReadEachSession(readSessions, question, session =>
        {
            newest.Add(session);
            if (newest.Count >= 2 * limit) Cut();
            return true;
        }, cancellation, Parameter("fingerprint", fingerprint));
        Cut();
        return newest;
    }

    private async Task ReadEachSession(string sql, SessionQuestion question, Func<Session, bool> goesOn,
        CancellationToken cancellation, params DbParameter[] parameters)
    {
        var scan = new SessionScan(question, goesOn);
        await ScanRows(sql, row => scan.Add(row.GetString(0), row.GetString(1), ReadTime(row, 2),
            row.IsDBNull(3) ? null : row.GetString(3)), cancellation,
            [
                .. parameters, Optional("product", question.Product),
                Time("from", Before(question.From, SessionScan.PauseMax)),
                Time("to", After(question.To, SessionScan.Overtime)),
            ]);
        scan.Finish();
    }

    /// <param name="goesOn">Takes a row, and says whether there should be another.</param>
    private async Task ScanRows(string sql, Func<DbDataReader, bool> goesOn, CancellationToken cancellation,
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

    // Both stay within the calendar.
    private static DateTime Before(DateTime time, TimeSpan length) =>
        time > DateTime.MinValue + length ? time - length : DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc);

    private static DateTime After(DateTime time, TimeSpan length) =>
        time < DateTime.MaxValue - length ? time + length : DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc);
}
