using Npgsql;

namespace Tally.Bench;

/// <summary>
/// What one would write without Tally, and what it replaces: a minimal API that inserts a row an event, prepared and
/// pooled. It neither dedupes nor counts.
/// </summary>
internal static class InsertServer
{
    /// <summary>The same without the insert: the ceiling of anything behind this HTTP server.</summary>
    public static Task RunBare(int port) => Serve(port, async request =>
    {
        var form = await request.ReadFormAsync();
        return TypedResults.Ok(new { id = Guid.CreateVersion7(), fingerprint = form["fingerprint"].ToString() });
    });

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

        await Serve(port, async request =>
        {
            var form = await request.ReadFormAsync();
            await using var insert = source.CreateCommand(
                "insert into inserted (id, action, product, fingerprint) values ($1, $2, $3, $4)");
            var id = Guid.CreateVersion7();
            insert.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
            insert.Parameters.Add(new NpgsqlParameter<string> { TypedValue = form["action"].ToString() });
            insert.Parameters.Add(new NpgsqlParameter<string> { TypedValue = form["product"].ToString() });
            insert.Parameters.Add(new NpgsqlParameter<string> { TypedValue = form["fingerprint"].ToString() });
            await insert.ExecuteNonQueryAsync();
            return TypedResults.Ok(new { id });
        });
    }

    private static async Task Serve(int port, Func<HttpRequest, Task<IResult>> handle)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenLocalhost(port));
        var app = builder.Build();
        app.MapPost("/api/events", (HttpRequest request) => handle(request));
        await app.RunAsync();
    }
}
