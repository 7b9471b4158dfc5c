using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Tally.Tests.Harness;

/// <summary>A silo and its supervisor, which restarts a process that ends until it is told otherwise.</summary>
public sealed class SupervisedSilo : IAsyncDisposable
{
    private const int OutputShown = 2_000;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private readonly TestDatabase database;
    private readonly SiloPlace place;
    private readonly Dictionary<string, string> environment;
    private readonly StringBuilder pastOutput = new();
    private readonly CancellationTokenSource closing = new();
    private readonly SemaphoreSlim gate = new(1);
    private readonly Task supervising;
    private volatile AppProcess? app;
    private volatile bool wanted;

    public SupervisedSilo(
        string name, TestDatabase database, SiloPlace place, bool wanted, Dictionary<string, string>? own = null)
    {
        (Name, this.database, this.place, this.wanted) = (name, database, place, wanted);
        Http = new(IPAddress.Parse(place.Address), FreePort.Next());
        Silo = new(Http.Address, FreePort.Next());
        Gateway = new(Http.Address, FreePort.Next());
        environment = new(own ?? [])
        {
            ["APP_SILO_NAME"] = name, ["APP_SILO_PORT"] = $"{Silo.Port}", ["APP_GATEWAY_PORT"] = $"{Gateway.Port}",
        };
        supervising = Task.Run(Supervise);
    }

    public string Name { get; }
    public SiloPlace Place => place;
    public IPEndPoint Http { get; }
    public IPEndPoint Silo { get; }
    public IPEndPoint Gateway { get; }
    public bool IsWanted => wanted;

    /// <summary>The exit codes of processes that ended without having been told to.</summary>
    public List<int> ExitCodes { get; } = [];

    /// <summary>The output of all its processes.</summary>
    public string Output => $"{pastOutput}{app?.Output}";

    /// <summary>The end of the output, for the message of a failing test.</summary>
    public string LastOutput => Output is { Length: > OutputShown } all ? all[^OutputShown..] : Output;

    public AppProcess App => app ?? throw new InvalidOperationException($"{Name} does not run.");

    /// <summary>From now on the silo is kept running.</summary>
    public void Start() => wanted = true;

    /// <summary>Sends SIGKILL. The silo stays down until <see cref="Start"/>.</summary>
    public Task Kill() => End(running => running.Kill());

    /// <summary>Sends SIGTERM. The silo stays down until <see cref="Start"/>.</summary>
    /// <returns>The process's exit code.</returns>
    public async Task<int> Terminate()
    {
        var exitCode = 0;
        await End(async running => exitCode = await running.Terminate());
        return exitCode;
    }

    public void Suspend() => App.Signal(19);
    public void Resume() => App.Signal(18);

    public async Task<bool> IsReady()
    {
        if (app is not { HasExited: false } running) return false;
        try
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
            using var response = await running.Http.GetAsync("/health/ready", patience.Token);
            return response.IsSuccessStatusCode;
        }
        catch (Exception exception) when (
            exception is HttpRequestException or SocketException or OperationCanceledException
                or ObjectDisposedException)
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        await supervising;
        if (app is not null) await app.DisposeAsync();
        closing.Dispose();
        gate.Dispose();
    }

    private async Task End(Func<AppProcess, Task> end)
    {
        await gate.WaitAsync(); // keeps the supervisor from taking this for an accident
        try
        {
            wanted = false;
            if (app is null) return;
            if (!app.HasExited) await end(app);
            await Retire(app);
        }
        finally
        {
            gate.Release();
        }
    }

    private async Task Supervise()
    {
        while (!closing.IsCancellationRequested)
        {
            if (await gate.WaitAsync(0)) await Look();
            await Task.Delay(Pause);
        }
    }

    private async Task Look()
    {
        try
        {
            if (app is { HasExited: true } ended)
            {
                ExitCodes.Add(ended.ExitCode);
                await Retire(ended);
            }
            if (wanted && app is null) app = AppProcess.Launch(database, environment, Http.Port, place);
        }
        finally
        {
            gate.Release();
        }
    }

    private async Task Retire(AppProcess ended)
    {
        app = null;
        pastOutput.AppendLine(ended.Output).AppendLine(CultureInfo.InvariantCulture,
            $"{Name} exited with {ended.ExitCode} at {DateTime.UtcNow:HH:mm:ss.fff}");
        await ended.DisposeAsync();
    }
}
