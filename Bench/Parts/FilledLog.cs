using System.Globalization;
using Npgsql;
using Tally.Bench.Workloads;

namespace Tally.Bench.Parts;

/// <summary>Fills a log before it is measured, as if its events had been posted.</summary>
internal static class FilledLog
{
    /// <summary>The number of fingerprints in a log that fill_events.sql has filled.</summary>
    public static int Fingerprints(int rows) => rows / 2 + Math.Min(rows - rows / 2, Draw.MixedFingerprints);

    /// <param name="database">Must be migrated and empty.</param>
    /// <param name="rows">The number of events.</param>
    /// <param name="over">The time up to now over which they are spread.</param>
    public static async Task Fill(string database, int rows, TimeSpan over, CancellationToken cancellation)
    {
        if (rows == 0) return;
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"filling a log with {rows:N0} events"));
        await using var source = NpgsqlDataSource.Create(database);
        // Its constraints are dropped meanwhile: rows in the order of time are slow to index one by one.
        var constraints = await Constraints(source, cancellation);
        foreach (var (name, _) in constraints) await Execute($"alter table events drop constraint {name}");
        await Execute(Scripts.Read("fill_events.sql"), ("rows", rows), ("mixed_fingerprints", Draw.MixedFingerprints),
            ("mixed_from", Draw.MixedFrom), ("filled_from", Draw.FilledFrom), ("stride", Draw.Stride),
            ("modulus", Draw.Modulus),
            ("minutes", (long)over.TotalMinutes), ("until", DateTimeOffset.UtcNow.ToUnixTimeSeconds() / 60));
        foreach (var (name, definition) in constraints)
            await Execute($"alter table events add constraint {name} {definition}");
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

    /// <summary>
    /// Waits until the app has merged all deltas, then vacuums, as the database would have done long before.
    /// </summary>
    public static async Task Merged(string database, CancellationToken cancellation)
    {
        await using var source = NpgsqlDataSource.Create(database);
        while (await source.Number("select count(*) from rollup_deltas", cancellation) > 0)
            await Task.Delay(100, cancellation);
        await source.Execute("vacuum analyze", cancellation);
    }

    private static async Task<List<(string Name, string Definition)>> Constraints(NpgsqlDataSource source,
        CancellationToken cancellation)
    {
        await using var command = source.CreateCommand(
            "select conname, pg_get_constraintdef(oid) from pg_constraint where conrelid = 'events'::regclass and "
                + "contype in ('p', 'u')");
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var found = new List<(string, string)>();
        while (await reader.ReadAsync(cancellation)) found.Add((reader.GetString(0), reader.GetString(1)));
        return found;
    }
}
