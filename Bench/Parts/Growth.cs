using System.Globalization;
using Npgsql;
using Tally.Bench.Contenders;
using Tally.Bench.Workloads;

namespace Tally.Bench.Parts;

/// <summary>The same load on logs of different length: one database and one app each, in rotation.</summary>
internal static class Growth
{
    private static readonly string[] Workloads = ["new", "mixed"];

    public static string NameAt(int rows) => string.Create(CultureInfo.InvariantCulture, $"tally at {rows:N0} rows");

    public static async Task Run(Settings settings, Ground ground, Turns turns, CancellationToken cancellation)
    {
        var contenders = new List<Contender>();
        try
        {
            foreach (var rows in settings.RowCounts)
            {
                cancellation.ThrowIfCancellationRequested();
                var database = await ground.CreateDatabase();
                await ground.Migrate(database);
                await Fill(database, rows, cancellation);
                contenders.Add(await Entrant.StartTally(ground, NameAt(rows), database));
            }
            await turns.Measure(
                from workload in Workload.All
                where Workloads.Contains(workload.Name)
                from contender in contenders
                select new Pairing(workload with { WithLatency = false }, contender), cancellation);
        }
        finally
        {
            foreach (var contender in contenders) await contender.DisposeAsync();
        }
    }

    // Without its constraints meanwhile: rows come in the order of time, and so would be slow to index one by one.
    private static async Task Fill(string database, int rows, CancellationToken cancellation)
    {
        if (rows == 0) return;
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"filling a log with {rows:N0} events"));
        await using var source = NpgsqlDataSource.Create(database);
        var constraints = await Constraints(source, cancellation);
        foreach (var (name, _) in constraints) await Execute($"alter table events drop constraint {name}");
        await Execute(Scripts.Read("fill_events.sql"), ("rows", rows), ("mixed_fingerprints", Draw.MixedFingerprints),
            ("mixed_from", Draw.MixedFrom), ("filled_from", Draw.FilledFrom), ("stride", Draw.Stride), ("modulus", Draw.Modulus));
        foreach (var (name, definition) in constraints) await Execute($"alter table events add constraint {name} {definition}");
        await Execute("vacuum analyze events");
        await Execute("checkpoint");

        async Task Execute(string sql, params (string Name, long Value)[] parameters)
        {
            await using var command = source.CreateCommand(sql);
            foreach (var (name, value) in parameters) command.Parameters.Add(new NpgsqlParameter<long>(name, value));
            command.CommandTimeout = 0;
            await command.ExecuteNonQueryAsync(cancellation);
        }
    }

    private static async Task<List<(string Name, string Definition)>> Constraints(NpgsqlDataSource source, CancellationToken cancellation)
    {
        await using var command = source.CreateCommand(
            "select conname, pg_get_constraintdef(oid) from pg_constraint where conrelid = 'events'::regclass and contype in ('p', 'u')");
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var found = new List<(string, string)>();
        while (await reader.ReadAsync(cancellation)) found.Add((reader.GetString(0), reader.GetString(1)));
        return found;
    }
}
