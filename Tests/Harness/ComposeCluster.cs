namespace Tally.Tests.Harness;

/// <summary>
/// docker-compose.yml as it is, with its own project name and port. Disposing removes it and its volumes.
/// </summary>
public sealed class ComposeCluster(ContainerImage image) : IServing, IAsyncDisposable
{
    public const int Silos = 3;

    private static readonly TimeSpan StartPatience = TimeSpan.FromMinutes(4);
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(60);

    private readonly string project = "tally-test-" + Guid.NewGuid().ToString("N")[..8];
    private readonly Dictionary<string, string> environment = [];
    private bool begun;

    public int Port { get; } = FreePort.Next();
    public HttpClient Http { get; private set; } = new();

    /// <summary>
    /// Starts whatever does not run yet: three silos of the newest image and the rest. Skips the test if there is no
    /// engine.
    /// </summary>
    public async Task Up()
    {
        if (!begun)
        {
            environment["TALLY_IMAGE"] = await image.Name();
            environment["TALLY_PUBLISH"] = $"127.0.0.1:{Port}";
            Http = new() { BaseAddress = new($"http://127.0.0.1:{Port}"), Timeout = AnswerPatience };
            begun = true;
        }
        await Start();
    }

    /// <summary>Runs docker compose up until everything is healthy.</summary>
    /// <param name="options">Options for up.</param>
    public async Task Start(params string[] options)
    {
        // On a saturated machine a silo may lose its place while it starts. The engine restarts it, but compose reports
        // a failure.
        for (var deadline = DateTime.UtcNow + StartPatience; ;)
        {
            var (exitCode, output, error) = await Run(["up", "--detach", "--wait", .. options]);
            if (exitCode == 0) return;
            Assert.True(DateTime.UtcNow < deadline, $"It does not start: {output}{error}{await Logs()}");
        }
    }

    /// <summary>Containers that start from now on run another image.</summary>
    public async Task OfferNextVersion() => environment["TALLY_IMAGE"] = await image.NextVersion();

    /// <summary>Runs docker compose on this project.</summary>
    public async Task<string> Compose(params string[] arguments)
    {
        var (exitCode, output, error) = await Run(arguments);
        return exitCode == 0 ? output.TrimEnd()
            : throw new InvalidOperationException(
                $"docker compose {string.Join(' ', arguments)} failed: {output}{error}{await Logs()}");
    }

    /// <summary>A service's running containers.</summary>
    public async Task<string[]> Containers(string service) =>
        (await Compose("ps", "--quiet", service)).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>A silo reached directly, without the load balancer.</summary>
    public static async Task<IServing> Directly(string container) => new Direct(await Address(container));

    /// <summary>Its Postgres, reached directly, without the product.</summary>
    public async Task<TestDatabase> Database()
    {
        var url = await Compose("exec", "-T", "postgres", "cat", "/secret/db-url");
        return TestDatabase.At(url.Replace("@postgres:", $"@{await Address((await Containers("postgres"))[0])}:"));
    }

    /// <summary>Asserts that app verify, run in a silo's container, finds nothing.</summary>
    public async Task AssertVerifies() =>
        Assert.EndsWith(": all equal", await Compose("exec", "-T", "silo", "/app/app", "verify"));

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (begun) await Compose("down", "--volumes", "--remove-orphans", "--timeout", "1");
    }

    // On Linux, with a local engine, containers are reachable by their own addresses.
    private static Task<string> Address(string container) =>
        Engine.Docker("inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", container);

    private async Task<string> Logs() => (await Run(["logs", "--no-color", "--tail", "15"])).Output;

    private Task<(int ExitCode, string Output, string Error)> Run(string[] arguments) => Engine.Try(
        ["compose", "--project-name", project, "--file", Repository.File("docker-compose.yml"), .. arguments],
        environment);

    private sealed class Direct(string address) : IServing
    {
        public HttpClient Http { get; } = new() { BaseAddress = new($"http://{address}:9000") };
    }
}
