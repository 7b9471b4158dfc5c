using System.Data;
using System.Data.Common;
using Microsoft.Data.Sqlite;

namespace Tally.Silo.Storage.Sqlite;

/// <summary>Opens connections to one file with the settings that the guarantees rest on.</summary>
/// <param name="path">The database file; its folder exists.</param>
/// <param name="synchronous">FULL flushes at each commit. NORMAL does not, and is for what the log can rebuild.</param>
public sealed class SqliteDataSource(string path, string synchronous = "full") : DbDataSource
{
    public override string ConnectionString { get; } = new SqliteConnectionStringBuilder
    {
        DataSource = path,
        Mode = SqliteOpenMode.ReadWrite, // only Migrate creates the file: a question about a wrong path must not
    }.ToString();

    protected override DbConnection CreateDbConnection() => new Connection(ConnectionString, synchronous);

    // Grain storage opens its connections itself, so the settings are made in Open.
    private sealed class Connection(string connectionString, string synchronous) : SqliteConnection(connectionString)
    {
        // SQLite waits in steps of milliseconds. After that the driver waits in steps of 150 ms.
        private const int BusyMilliseconds = 2_000;

        public override void Open()
        {
            if (State == ConnectionState.Open) return;
            base.Open();
            using var command = CreateCommand();
            command.CommandText = $"pragma busy_timeout = {BusyMilliseconds}; pragma journal_mode = wal; "
                + $"pragma synchronous = {synchronous}; pragma foreign_keys = on; "
                + "pragma secure_delete = on;"; // deleted content is overwritten with zeros
            command.ExecuteNonQuery();
        }
    }
}
