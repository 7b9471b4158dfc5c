namespace Tally.Tests.Harness;

/// <summary>
/// Several processes that serve one database. Each keeps its index and its HTTP port when it is started again.
/// </summary>
public sealed class Silos : IAsyncDisposable
{
    private readonly TestDatabase database;
    private readonly Dictionary<string, string>? environment;
    private readonly List<AppProcess> processes = [];

    private Silos(TestDatabase database, Dictionary<string, string>? environment) =>
        (this.database, this.environment) = (database, environment);

    public AppProcess this[int place] => processes[place];
    public int Count => processes.Count;
    public IReadOnlyList<int> Ports => [.. processes.Select(process => process.Port)];

    /// <summary>Starts all at once and waits until each is ready.</summary>
    /// <param name="program">Another one than <see cref="AppProcess.Binary"/>.</param>
    public static async Task<Silos> Start(TestDatabase database, int count,
        Dictionary<string, string>? environment = null, string? program = null)
    {
        var silos = new Silos(database, environment);
        for (var i = 0; i < count; i++)
            silos.processes.Add(AppProcess.Launch(database, environment, program: program));
        try
        {
            await silos.WaitReady();
        }
        catch
        {
            await silos.DisposeAsync();
            throw;
        }
        return silos;
    }

    /// <summary>Starts one more and waits until it is ready.</summary>
    public async Task<AppProcess> Join(Dictionary<string, string>? own = null)
    {
        processes.Add(AppProcess.Launch(database, own ?? environment));
        await processes[^1].WaitReady();
        return processes[^1];
    }

    /// <summary>Restarts those that have exited, all at once, and waits until all are ready.</summary>
    /// <param name="program">Another one than <see cref="AppProcess.Binary"/>.</param>
    public async Task StartAgain(string? program = null)
    {
        for (var place = 0; place < Count; place++)
        {
            if (!processes[place].HasExited) continue;
            var port = processes[place].Port;
            await processes[place].DisposeAsync();
            processes[place] = AppProcess.Launch(database, environment, port, program: program);
        }
        await WaitReady();
    }

    public void AssertAllRun() => Assert.All(processes, process => Assert.False(process.HasExited, process.Output));

    /// <summary>The silos that the membership table lists as dead, except those that stopped cleanly.</summary>
    public Task<List<string>> DeclaredDead() => database.Query(
        $"select silo_name || ' ' || port || ' ' || suspect_times from memberships where status = {(int)SiloStatus.Dead} and suspect_times <> ''",
        row => row.GetString(0));

    public Task WaitReady() => Task.WhenAll(processes.Select(process => process.WaitReady()));

    public async ValueTask DisposeAsync()
    {
        foreach (var process in processes) await process.DisposeAsync();
    }
}
