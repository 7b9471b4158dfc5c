using Npgsql;

namespace Tally.Bench.Servers;

/// <summary>
/// What one would write without Tally: a minimal API that inserts a row an event, prepared and pooled. It neither
/// dedupes nor counts.
/// </summary>
internal static class InsertServer
{
    public static async Task Run(int port, string connectionString)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString) { MaxAutoPrepare = 16, MaxPoolSize = 32 };
        await using var source = NpgsqlDataSource.Create(settings.ConnectionString);
        await using (var create = source.CreateCommand("""
            create table if not exists inserted (
                id uuid primary key, action text not null, product text not null, fingerprint text not null,
                created timestamptz not null default now())
            """))
            await create.ExecuteNonQueryAsync();

        var app = BenchServer.CreateBuilder(port).Build();
        app.MapEvents(async form =>
        {
            await using var insert = source.CreateCommand(
                "insert into inserted (id, action, product, fingerprint) values ($1, $2, $3, $4)");
            var id = Guid.CreateVersion7();
            insert.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
            insert.Parameters.Add(new NpgsqlParameter<string> { TypedValue = form.Action });
            insert.Parameters.Add(new NpgsqlParameter<string> { TypedValue = form.Product });
            insert.Parameters.Add(new NpgsqlParameter<string> { TypedValue = form.Fingerprint });
            await insert.ExecuteNonQueryAsync();
            return TypedResults.Ok(new { id });
        });
        await app.RunAsync();
    }
}
