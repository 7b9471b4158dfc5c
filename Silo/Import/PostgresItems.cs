using System.Globalization;
using Npgsql;
using Tally.Silo.Settings;
using Tally.Silo.Storage;
using Tally.Silo.Storage.Postgres;

namespace Tally.Silo.Import;

/// <summary>The events of the service that Tally replaces, from its table <c>events</c>.</summary>
internal static class PostgresItems
{
    /// <exception cref="StartupException">The table cannot be read, or not to its end.</exception>
    public static async IAsyncEnumerable<Item> Read(DatabaseUrl.Postgres url, TimeChoice times)
    {
        await using var connection = new NpgsqlConnection(SettingsFor(url));
        await using var command = new NpgsqlCommand(PostgresStorage.Scripts["read_original_events"], connection);
        await using var rows = await Reachable(url, async () =>
        {
            await connection.OpenAsync();
            return await command.ExecuteReaderAsync();
        });
        for (var row = 1L; await Reachable(url, () => rows.ReadAsync()); row++)
        {
            if (await rows.IsDBNullAsync(0))
            {
                yield return Item.Malformed(row, "The id is null."); // a repeated import would count it again
                continue;
            }
            var fields = new List<Field>();
            foreach (var (column, name) in ((int, string)[])[(1, "action"), (2, "product"), (3, "fingerprint")])
                if (!await rows.IsDBNullAsync(column)) Add(name, rows.GetString(column));
            if (!await rows.IsDBNullAsync(4))
            {
                if (TimeOf(rows) is not { } time)
                {
                    yield return Item.Malformed(row, "The time is not in the years 1 to 9999.");
                    continue;
                }
                Add("timestamp", time);
            }
            var item = Item.Create(row, fields, () => rows.GetString(0));
            yield return item.HasTime || times.NowWhereMissing ? item : Item.WithoutTime(row);

            void Add(string name, string text) => fields.Add(new(new(name, name, 0), Field.ToJson(text)));
        }
    }

    /// <summary>The settings of a connection that reads all of a table.</summary>
    public static string SettingsFor(DatabaseUrl.Postgres url) =>
        new NpgsqlConnectionStringBuilder(url.Settings.ConnectionString)
        {
            Timezone = "UTC", // for a column without a time zone
            CommandTimeout = 0, // the first row comes only when all are sorted
        }.ConnectionString;

    private static string? TimeOf(NpgsqlDataReader rows)
    {
        try
        {
            return rows.GetDateTime(4).ToString("O", CultureInfo.InvariantCulture);
        }
        catch (Exception exception)
            when (exception is InvalidCastException or OverflowException or ArgumentOutOfRangeException)
        {
            return null;
        }
    }

    /// <exception cref="StartupException">The database cannot be read.</exception>
    public static async Task<T> Reachable<T>(DatabaseUrl.Postgres url, Func<Task<T>> read)
    {
        try
        {
            return await read();
        }
        catch (Exception exception)
            when (exception is NpgsqlException or TimeoutException or System.Net.Sockets.SocketException)
        {
            throw new StartupException($"{url} cannot be read: {exception.Message}", exception);
        }
    }
}
