using Microsoft.Data.Sqlite;

namespace Tally.Bench.Servers;

/// <summary>
/// Inserts a row an event, each in its own transaction and as durable as Tally on SQLite: WAL, synchronous=FULL.
/// </summary>
internal static class SqliteInsertServer
{
    public static async Task Run(int port, string path)
    {
        await using var connection = new SqliteConnection($"Data Source={path}");
        await connection.OpenAsync();
        await using (var create = connection.CreateCommand())
        {
            create.CommandText = """
                pragma journal_mode = wal;
                pragma synchronous = full;
                create table if not exists inserted (
                    id text primary key, action text not null, product text not null, fingerprint text not null,
                    created text not null default current_timestamp);
                """;
            await create.ExecuteNonQueryAsync();
        }
        await using var insert = connection.CreateCommand();
        insert.CommandText =
            "insert into inserted (id, action, product, fingerprint) values ($id, $action, $product, $fingerprint)";
        foreach (var name in (string[])["$id", "$action", "$product", "$fingerprint"])
            insert.Parameters.Add(name, SqliteType.Text);
        await insert.PrepareAsync();

        // SQLite has one writer at a time. Waiting for the turn outside SQLite blocks no thread.
        using var turn = new SemaphoreSlim(1);
        var app = BenchServer.CreateBuilder(port).Build();
        app.MapEvents(async form =>
        {
            var id = Guid.CreateVersion7().ToString();
            await turn.WaitAsync();
            try
            {
                insert.Parameters["$id"].Value = id;
                insert.Parameters["$action"].Value = form.Action;
                insert.Parameters["$product"].Value = form.Product;
                insert.Parameters["$fingerprint"].Value = form.Fingerprint;
                await insert.ExecuteNonQueryAsync();
            }
            finally
            {
                turn.Release();
            }
            return TypedResults.Ok(new { id });
        });
        await app.RunAsync();
    }
}
