using System.Text.Json;
using Npgsql;
using Tally.Silo.Http.Trackers;
using Tally.Silo.Settings;
using Tally.Silo.Storage;
using Tally.Silo.Storage.Postgres;

namespace Tally.Silo.Import.Tools;

/// <summary>The events in Umami's Postgres database, with their own properties.</summary>
internal static class UmamiDatabase
{
    /// <exception cref="StartupException">The tables cannot be read, or not to their end.</exception>
    public static async IAsyncEnumerable<Item> Read(DatabaseUrl.Postgres url, ToolSettings settings)
    {
        await using var connection = new NpgsqlConnection(PostgresItems.SettingsFor(url));
        await using var command = new NpgsqlCommand(PostgresStorage.Scripts["read_umami_events"], connection);
        await using var rows = await PostgresItems.Reachable(url, async () =>
        {
            await connection.OpenAsync();
            return await command.ExecuteReaderAsync();
        });
        for (var row = 1L; await PostgresItems.Reachable(url, () => rows.ReadAsync()); row++)
        {
            var cells = JsonElement.Parse(rows.GetString(0));
            var data = await rows.IsDBNullAsync(1) ? null : rows.GetString(1);
            yield return UmamiRow.Parse(row, name => cells.Member(name).Text(), data, settings.Product);
        }
    }
}
