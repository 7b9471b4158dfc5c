using Npgsql;

namespace Tally.Silo.Storage.Postgres;

/// <summary>Checks what the guarantees rest on, before anything is written.</summary>
internal static class ServerChecks
{
    private const int PoolerTries = 20;
    private const int AnswerSecondsMax = 5;

    /// <param name="url">The settings as given, without those that this program adds for its pools.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="StartupException">Says in one line what is wrong.</exception>
    public static async Task Run(NpgsqlConnectionStringBuilder url, CancellationToken cancellation)
    {
        var builder = new NpgsqlDataSourceBuilder(url.ConnectionString);
        builder.ConnectionStringBuilder.Pooling = false;
        builder.ConnectionStringBuilder.CommandTimeout = AnswerSecondsMax;
        // Loading types is a transaction, which a pooler in statement mode refuses.
        builder.ConfigureTypeLoading(types => types.EnableTypeLoading(false));
        await using var source = builder.Build();
        await using var connection = await source.OpenConnectionAsync(cancellation);
        await using (var second = await source.OpenConnectionAsync(cancellation)) await CheckSessions(connection,
            second, cancellation);
        await CheckWritable(connection, cancellation);
        await CheckDurability(connection, cancellation);
    }

    // Each connection marks its session and must find its own mark again. Behind a pooler that gives each transaction
    // the next free server, the two connections share a server, or one of them gets another. If nobody else uses the
    // pooler, the first try shows this, because a free server is used again. If others use it, a try may pass by
    // chance, but not all of them. A real session always passes.
    private static async Task CheckSessions(NpgsqlConnection first, NpgsqlConnection second,
        CancellationToken cancellation)
    {
        // A pooler invents the process id by which a query is canceled.
        var isDirect = await Ask<int>(first, "select pg_backend_pid()", cancellation) == first.ProcessID;
        for (var tries = isDirect ? 1 : PoolerTries; tries > 0; tries--)
        {
            var marks = new Dictionary<NpgsqlConnection, string>();
            foreach (var connection in (NpgsqlConnection[])[first, second])
                marks[connection] =
                    await Ask<string>(connection, "select set_config('tally.session', $1, false)", cancellation,
                        $"{Guid.NewGuid():N}") ?? "";
            // Twice in a row, for a pooler that uses its servers in turn.
            foreach (var connection in (NpgsqlConnection[])[first, first, second, second])
                if (await Ask<string>(connection, "select current_setting('tally.session', true)",
                    cancellation) != marks[connection])
                    throw new StartupException(
                        "There is a connection pooler before Postgres that gives each transaction "
                        + "another session (transaction or statement mode). Tally needs sessions of its own: set the "
                        + "pooler to "
                        + "session mode, or name Postgres itself.");
        }
    }

    private static async Task CheckWritable(NpgsqlConnection connection, CancellationToken cancellation)
    {
        if (await Ask<bool>(connection, "select pg_is_in_recovery()", cancellation))
            throw new StartupException(
                "This Postgres is a standby and takes no events: name the primary, or all servers separated by "
                    + "commas.");
        if (await Ask<string>(connection, "select current_setting('default_transaction_read_only')",
            cancellation) == "on")
            throw new StartupException(
                "Postgres has default_transaction_read_only on for this role or database: no event could be recorded. "
                    + "Set it to off.");
    }

    private static async Task CheckDurability(NpgsqlConnection connection, CancellationToken cancellation)
    {
        foreach (var setting in (string[])["synchronous_commit", "fsync"])
            if (await Ask<string>(connection, "select current_setting($1)", cancellation, setting) == "off")
                throw new StartupException(
                    $"Postgres has {setting} off: an acknowledged event could be lost. Set it to on.");
    }

    private static async Task<T?> Ask<T>(NpgsqlConnection connection, string sql, CancellationToken cancellation,
        params string[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var parameter in parameters) command.Parameters.Add(new() { Value = parameter });
        return await command.ExecuteScalarAsync(cancellation) is T value ? value : default;
    }
}
