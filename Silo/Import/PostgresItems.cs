using System.Globalization;
using Npgsql;
using Tally.Silo.Storage;
using Tally.Silo.Storage.Postgres;

namespace Tally.Silo.Import;

/// <summary>The events of the service that Tally replaces, out of its table <c>events</c>.</summary>
internal static class PostgresItems
{
    /// <exception cref="StartupException">It cannot be read, or not to its end.</exception>
    public static async IAsyncEnumerable<Item> Read(DatabaseUrl.Postgres url)
    {
        var settings = new NpgsqlConnectionStringBuilder(url.Settings.ConnectionString)
        {
            Timezone = "UTC", // what a column without a time zone means
            CommandTimeout = 0, // the first row comes after all are sorted
        };
        await using var connection = new NpgsqlConnection(settings.ConnectionString);
        await using var command = new NpgsqlCommand(PostgresEventLog.Scripts["read_original_events"], connection);
        await using var rows = await Reachable(url, async () =>
        {
            await connection.OpenAsync();
            return await command.ExecuteReaderAsync();
        });
        for (var row = 1L; await Reachable(url, () => rows.ReadAsync()); row++)
        {
            if (await rows.IsDBNullAsync(0))
            {
                yield return Item.Malformed(row, "The id is null."); // without one a repeat would count again
                continue;
            }
            var fields = new List<Field>();
            foreach (var (column, name) in ((int, string)[])[(1, "action"), (2, "product"), (3, "fingerprint")])
                if (!await rows.IsDBNullAsync(column)) fields.Add(Field.OfText(name, rows.GetString(column)));
            if (!await rows.IsDBNullAsync(4))
                fields.Add(Field.OfText("timestamp", rows.GetDateTime(4).ToString("O", CultureInfo.InvariantCulture)));
            yield return Item.Of(row, fields, rows.GetString(0));
        }
    }

    private static async Task<T> Reachable<T>(DatabaseUrl.Postgres url, Func<Task<T>> read)
    {
        try
        {
            return await read();
        }
        catch (Exception exception) when (exception is NpgsqlException or TimeoutException or System.Net.Sockets.SocketException)
        {
            throw new StartupException($"{url} cannot be read: {exception.Message}", exception);
        }
    }
}
