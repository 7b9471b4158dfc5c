using System.Data.Common;

namespace Tally.Silo.Storage;

public abstract partial class SqlEventLog : ILiveCountsStorage
{
    private readonly string readCounts = scripts["read_counts"];

    public async Task<IReadOnlyList<(string Product, string Action, long Events)>> ReadCounts() => await Read(readCounts, ReadCount);

    private static (string Product, string Action, long Events) ReadCount(DbDataReader row) =>
        (row.GetString(0), row.GetString(1), row.GetInt64(2));
}
