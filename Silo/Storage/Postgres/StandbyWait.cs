using Npgsql;

namespace Tally.Silo.Storage.Postgres;

/// <summary>
/// A commit's wait for synchronous standbys. If none of them answers in time, the driver cancels the statement. Then
/// Postgres keeps the commit without them, and answers that all is well after a warning. Such a commit must not be
/// acknowledged: a standby that became the primary would not have it.
/// </summary>
internal sealed class StandbyWait
{
    private readonly NpgsqlConnection connection;
    private bool wasCutShort;

    /// <param name="connection">From now on its warnings are noted: a commit has no others.</param>
    public StandbyWait(NpgsqlConnection connection)
    {
        this.connection = connection;
        connection.Notice += (_, args) => wasCutShort |= args.Notice.InvariantSeverity == "WARNING";
    }

    /// <summary>Completes when the standbys have what the connection has committed, however long that takes.</summary>
    /// <param name="commit">The statement of a later commit.</param>
    public async Task Finish(string commit)
    {
        while (wasCutShort)
        {
            wasCutShort = false;
            await using var command = new NpgsqlCommand(commit, connection);
            await command.ExecuteNonQueryAsync();
        }
    }
}
