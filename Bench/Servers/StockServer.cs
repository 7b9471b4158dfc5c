using Npgsql;
using Tally.Tests.Harness;

namespace Tally.Bench.Servers;

/// <summary>
/// What Orleans alone offers: a grain for each fingerprint, which writes its state on each event through the stock
/// ADO.NET provider with its usual settings. Durable counters, without a log and without ids to dedupe by.
/// </summary>
internal static class StockServer
{
    public static async Task Run(int port, string connectionString)
    {
        await CreateTables(connectionString);
        var builder = BenchServer.CreateBuilder(port);
        builder.UseOrleans(silo =>
        {
            silo.UseLocalhostClustering(FreePort.Next(), FreePort.Next());
            silo.AddAdoNetGrainStorage(StockGrain.StorageName, storage =>
                (storage.Invariant, storage.ConnectionString) = ("Npgsql", connectionString));
        });
        var app = builder.Build();
        var grains = app.Services.GetRequiredService<IGrainFactory>();
        app.MapEvents(async form =>
        {
            var count = await grains.GetGrain<IStockGrain>(form.Fingerprint).Record(form.Product, form.Action);
            return TypedResults.Ok(new { count });
        });
        await app.RunAsync();
    }

    private static async Task CreateTables(string connectionString)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        foreach (var script in (string[])["grain_storage.sql", "write_state.sql"])
        {
            await using var command = source.CreateCommand(Scripts.Read(script));
            await command.ExecuteNonQueryAsync();
        }
    }
}

/// <summary>One fingerprint, as an ordinary grain that keeps counts.</summary>
public interface IStockGrain : IGrainWithStringKey
{
    /// <returns>The count of this product and action, once it is durable.</returns>
    Task<long> Record(string product, string action);
}

/// <summary>What a <see cref="IStockGrain"/> stores.</summary>
[GenerateSerializer]
public sealed class StockState
{
    /// <summary>By product and action.</summary>
    [Id(0)] public Dictionary<string, long> Counts { get; } = [];

    /// <summary>UTC.</summary>
    [Id(1)] public DateTime LastSeen { get; set; }
}

internal sealed class StockGrain(
    [PersistentState("counts", StockGrain.StorageName)] IPersistentState<StockState> state) : Grain, IStockGrain
{
    public const string StorageName = "stock";

    public async Task<long> Record(string product, string action)
    {
        var key = $"{product}/{action}";
        var count = state.State.Counts[key] = state.State.Counts.GetValueOrDefault(key) + 1;
        state.State.LastSeen = DateTime.UtcNow;
        await state.WriteStateAsync();
        return count;
    }
}
