using System.Data.Common;

namespace Tally.Silo.Storage;

public abstract partial class SqlEventLog : ITotalsStorage
{
    private readonly string readTotals = scripts["read_totals"];

    public async Task<IReadOnlyList<TotalsSum>> ReadTotals(TotalsQuestion question, int limit, CancellationToken cancellation)
    {
        var (hoursFrom, hoursTo) = WholeHours(question);
        return await Read(readTotals, ReadSum,
        [
            Time("from", question.From), Time("to", question.To), Time("hours_from", hoursFrom), Time("hours_to", hoursTo),
            Parameter("bucket", question.Bucket.ToString().ToLowerInvariant()),
            Parameter("by_product", question.ByProduct), Parameter("by_action", question.ByAction),
            Parameter("product", question.Product ?? (object)DBNull.Value), Parameter("action", question.Action ?? (object)DBNull.Value),
            Parameter("order", (int)question.Order), Parameter("limit", limit),
        ], Open, cancellation);
    }

    // What is read from the hours. Where there is no whole one, or minutes are asked for, an empty range at the end.
    private static (DateTime From, DateTime To) WholeHours(TotalsQuestion question)
    {
        var into = question.From.Ticks % TimeSpan.TicksPerHour;
        var from = into == 0 ? question.From : question.From.AddTicks(TimeSpan.TicksPerHour - into);
        var to = question.To.AddTicks(-(question.To.Ticks % TimeSpan.TicksPerHour));
        return question.Bucket == TotalsBucket.Minute || from > to ? (question.To, question.To) : (from, to);
    }

    private TotalsSum ReadSum(DbDataReader row) => new(ReadTime(row, 0),
        row.IsDBNull(1) ? null : row.GetString(1), row.IsDBNull(2) ? null : row.GetString(2), ReadCounts(row));
}
