using System.Data.Common;

namespace Tally.Silo.Storage;

public abstract partial class SqlEventLog : ILiveStorage
{
    private readonly string readCounts = scripts["read_counts"];
    private readonly string readNews = scripts["read_news"];

    public async Task<IReadOnlyList<(string Product, string Action, long Events)>> ReadCounts() => await Read(readCounts, ReadCount);

    public async Task<IReadOnlyList<HistoryNews>> ReadNews(IReadOnlyCollection<HistoryPosition> watched, int eachMax, int bytesMax)
    {
        var bytes = 0L;
        return await Read(readNews, ReadNewsRow,
            [
                Texts("fingerprints", watched.Select(position => position.Fingerprint)),
                Numbers("sequences", watched.Select(position => position.Sequence)),
                Ids("ids", watched.Select(position => position.EventId)),
                Parameter("limit", eachMax),
            ],
            Open, CancellationToken.None, isLast: row => (bytes += row.Event?.PropertiesBytes ?? 0) > bytesMax);
    }

    private HistoryNews ReadNewsRow(DbDataReader row) =>
        new(row.GetString(0), row.IsDBNull(1) ? null : ReadEvent(row), row.GetBoolean(8));

    private static (string Product, string Action, long Events) ReadCount(DbDataReader row) =>
        (row.GetString(0), row.GetString(1), row.GetInt64(2));
}
