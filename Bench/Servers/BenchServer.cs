namespace Tally.Bench.Servers;

/// <summary>What the contenders written here have in common: one process, one HTTP server and the same form.</summary>
internal static class BenchServer
{
    public static readonly IReadOnlyDictionary<string, Func<int, string, Task>> ByName =
        new Dictionary<string, Func<int, string, Task>>
        {
            ["bare"] = (port, _) => BareServer.Run(port),
            ["insert"] = InsertServer.Run,
            ["insert-sqlite"] = SqliteInsertServer.Run,
            ["stock"] = StockServer.Run,
        };

    public static WebApplicationBuilder CreateBuilder(int port)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.ListenLocalhost(port);
        });
        return builder;
    }

    public static void MapEvents(this WebApplication app, Func<EventForm, Task<IResult>> handle) =>
        app.MapPost("/api/events", async (HttpRequest request) => await handle(await EventForm.Read(request)));
}

internal sealed record EventForm(string Action, string Product, string Fingerprint)
{
    public static async Task<EventForm> Read(HttpRequest request)
    {
        var form = await request.ReadFormAsync();
        return new(form["action"].ToString(), form["product"].ToString(), form["fingerprint"].ToString());
    }
}
