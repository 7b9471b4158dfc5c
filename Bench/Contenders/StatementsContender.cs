using System.Diagnostics;
using Npgsql;
using Tally.Bench.Client;
using Tally.Bench.Workloads;

namespace Tally.Bench.Contenders;

/// <summary>
/// The yardstick for batches: one connection that inserts, in one statement, the rows that 1,000 events become. The
/// table has the event log's columns and its key (fingerprint, sequence). No HTTP, no counting, no lookup of ids.
/// </summary>
internal sealed class StatementsContender : Contender
{
    private const int Rows = 1_000;

    private readonly NpgsqlConnection connection;
    private readonly NpgsqlCommand insert;
    private readonly Func<Numbers> next = Draw.Hot();
    private readonly Dictionary<long, long> heads = [];

    private StatementsContender(NpgsqlConnection connection) : base("statements")
    {
        this.connection = connection;
        insert = new(Scripts.Read("insert_rows.sql"), connection);
        for (var i = 0; i < 7; i++) insert.Parameters.Add(new NpgsqlParameter());
    }

    public static async Task<Contender> Start(string connectionString)
    {
        var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var create = new NpgsqlCommand("""
            create table inserted (
                fingerprint text collate "C" not null, sequence bigint not null, id uuid not null, action text not null,
                product text not null, created timestamptz not null, occurred timestamptz not null,
                primary key (fingerprint, sequence))
            """, connection);
        await create.ExecuteNonQueryAsync();
        return new StatementsContender(connection);
    }

    // It is itself the client, so its cost is the client's.
    public override IReadOnlyList<int> Processes => [];

    protected override Dialect Dialect => Dialect.Events;

    protected override LoadResult Run(Requests requests, Load load)
    {
        var cpu = Environment.CpuUsage.TotalTime;
        var start = Stopwatch.GetTimestamp();
        var latencies = new Latencies();
        while (Stopwatch.GetElapsedTime(start) < load.Duration && latencies.Count < load.RequestsMax)
        {
            var due = Stopwatch.GetTimestamp();
            Insert();
            latencies.Add(Stopwatch.GetTimestamp() - due);
        }
        return new(Stopwatch.GetElapsedTime(start).TotalSeconds, latencies.Count, 0, null, [], latencies,
            (Environment.CpuUsage.TotalTime - cpu).TotalSeconds);
    }

    private void Insert()
    {
        var fingerprints = new long[Rows];
        for (var i = 0; i < Rows; i++) fingerprints[i] = next().Fingerprint;
        Array.Sort(fingerprints); // as the event log does, so that the index is filled in order
        var now = DateTime.UtcNow;
        object[] columns =
        [
            fingerprints.Select(number => $"v-{number:D12}").ToArray(),
            fingerprints.Select(number => heads[number] = heads.GetValueOrDefault(number) + 1).ToArray(),
            fingerprints.Select(_ => Guid.CreateVersion7()).ToArray(),
            Enumerable.Repeat("view", Rows).ToArray(),
            Enumerable.Repeat("k8s", Rows).ToArray(),
            Enumerable.Repeat(now, Rows).ToArray(),
            Enumerable.Repeat(now, Rows).ToArray(),
        ];
        for (var i = 0; i < columns.Length; i++) insert.Parameters[i].Value = columns[i];
        if (!insert.IsPrepared) insert.Prepare();
        insert.ExecuteNonQuery();
    }

    public override async ValueTask DisposeAsync()
    {
        await insert.DisposeAsync();
        await connection.DisposeAsync();
    }
}
