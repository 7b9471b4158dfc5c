namespace Tally.Tests.Harness;

/// <summary>The product's image, running in a container.</summary>
public sealed class AppContainer : IServing, IAsyncDisposable
{
    private const int StartSeconds = 180;

    private readonly string name;

    private AppContainer(string name) => this.name = name;

    public int Port { get; private set; }
    public HttpClient Http { get; private set; } = new();

    public string Name => name;

    /// <summary>
    /// Starts a container and waits until its health check passes. The check runs more often than the image asks for.
    /// </summary>
    /// <param name="options">Options for docker run.</param>
    /// <param name="flags">The program's flags.</param>
    /// <param name="port">The port that the program listens on.</param>
    public static async Task<AppContainer> Start(string image, string[] options, string[]? flags = null,
        int port = 9000)
    {
        var name = "tally-test-" + Guid.NewGuid().ToString("N")[..8];
        await Engine.Docker(["run", "--detach", "--name", name, "--publish", $"127.0.0.1::{port}", "--stop-timeout",
            "40", "--health-interval", "1s", .. options, image, .. flags ?? []]);
        var container = new AppContainer(name);
        await container.WaitHealthy(port);
        return container;
    }

    /// <summary>Runs a sub-command or a mistaken command line until it exits.</summary>
    public static Task<(int ExitCode, string Output, string Error)> Run(string image, string[] options,
        params string[] arguments) =>
        Engine.Try(["run", "--rm", .. options, image, .. arguments]);

    /// <summary>docker stop: SIGTERM, then SIGKILL after 40 seconds.</summary>
    /// <returns>The program's exit code.</returns>
    public async Task<int> Stop()
    {
        await Engine.Docker("stop", "--time", "40", name);
        return (await Engine.Inspect(name)).GetProperty("State").GetProperty("ExitCode").GetInt32();
    }

    /// <summary>Runs a command of the program inside the container.</summary>
    public Task<(int ExitCode, string Output, string Error)> Execute(params string[] arguments) =>
        Engine.Try(["exec", name, "/app/app", .. arguments]);

    /// <summary>Copies a stopped container's database out.</summary>
    public async Task<TestDatabase> CopyDatabase()
    {
        var folder = Directory.CreateTempSubdirectory("tally-copied-").FullName;
        await Engine.Docker("cp", $"{name}:/data/.", folder);
        return TestDatabase.In(folder);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Engine.Try(["rm", "--force", "--volumes", name]);
    }

    private async Task WaitHealthy(int port)
    {
        try
        {
            await Eventually.True(async () => await Engine.Health(name) == "healthy", "It does not become healthy.",
                StartSeconds);
        }
        catch (Exception exception)
        {
            var (_, output, error) = await Engine.Try(["logs", name]);
            await DisposeAsync();
            throw new InvalidOperationException($"{exception.Message} {output}{error}", exception);
        }
        var published = (await Engine.Docker("port", name, $"{port}/tcp")).Split('\n')[0];
        Port = int.Parse(published.Split(':')[^1], System.Globalization.CultureInfo.InvariantCulture);
        Http = new() { BaseAddress = new($"http://127.0.0.1:{Port}") };
    }
}
