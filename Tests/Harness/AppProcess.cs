using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using Tally.Silo.Settings;
using Tally.Silo.Storage;

namespace Tally.Tests.Harness;

/// <param name="Address">The address that it listens on.</param>
/// <param name="Namespace">The network namespace with that address; null for this machine's own.</param>
public sealed record SiloPlace(string Address, string? Namespace)
{
    public static SiloPlace Loopback { get; } = new("127.0.0.1", null);
}

/// <summary>The real program in its own process.</summary>
public sealed partial class AppProcess : IServing, IAsyncDisposable
{
    /// <summary>This build's program, or the published one that TALLY_TEST_APP names.</summary>
    public static readonly string Binary = Environment.GetEnvironmentVariable("TALLY_TEST_APP") is { Length: > 0 } path
        ? path : Path.Combine(AppContext.BaseDirectory, "app");

    /// <summary>The program of the version before this one. Skips the test if there is none.</summary>
    public static string BinaryBefore()
    {
        var path = Environment.GetEnvironmentVariable("TALLY_TEST_APP_BEFORE");
        Assert.SkipWhen(string.IsNullOrEmpty(path),
            "Upgrading needs the version before this one: set TALLY_TEST_APP_BEFORE to its published app.");
        return path!;
    }

    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(120);

    private readonly Process process;
    private readonly StringBuilder output = new();

    private AppProcess(Process process, int port, SiloPlace place)
    {
        this.process = process;
        Port = port;
        Http = new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(10) })
        {
            BaseAddress = new($"http://{place.Address}:{port}"),
            Timeout = TimeSpan.FromSeconds(60),
        };
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public int Port { get; }
    public HttpClient Http { get; }
    public int ProcessId => process.Id;
    public bool HasExited => process.HasExited;
    public int ExitCode => process.ExitCode;
    public long PeakMemoryBytes { get { process.Refresh(); return process.PeakWorkingSet64; } }
    public string Output { get { lock (output) return output.ToString(); } }

    /// <summary>
    /// Asserts that it logged no line with this mark. Warnings of Orleans' membership about a slow machine are only
    /// shown.
    /// </summary>
    /// <param name="mark">fail: or warn: or Exception.</param>
    public void AssertLoggedNo(string mark)
    {
        var lines = Output.Split('\n').Where(line => line.Contains(mark, StringComparison.Ordinal))
            .ToLookup(line => line.Contains("warn: Orleans.Runtime.Membership", StringComparison.Ordinal));
        foreach (var line in lines[true]) TestContext.Current.TestOutputHelper?.WriteLine(line);
        Assert.True(!lines[false].Any(), string.Join('\n', lines[false]));
    }

    /// <summary>
    /// Starts the program and waits until it is ready. It stops without draining, because no load balancer has to
    /// notice.
    /// </summary>
    /// <param name="environment">In addition to the silo's port. A test about draining sets its length here.</param>
    /// <param name="flags">In addition to port, host and database.</param>
    /// <param name="program">Another one than <see cref="Binary"/>.</param>
    public static async Task<AppProcess> Start(
        TestDatabase database, Dictionary<string, string>? environment = null, int? port = null,
        string[]? flags = null, string? program = null)
    {
        Dictionary<string, string> all = new(environment ?? []);
        all.TryAdd("Limits__DrainMilliseconds", "0");
        var app = Launch(database, all, port, flags: flags, program: program);
        await app.WaitReady();
        return app;
    }

    /// <summary>
    /// Environment for a process that follows a killed one: in its own cluster it need not wait until that one is
    /// declared dead.
    /// </summary>
    public static Dictionary<string, string> ClusterOfItsOwn() => new() { ["APP_CLUSTER_ID"] = $"{Guid.NewGuid():N}" };

    /// <summary>Starts the program without waiting.</summary>
    public static AppProcess Launch(
        TestDatabase database, Dictionary<string, string>? environment = null, int? port = null,
        SiloPlace? place = null, string[]? flags = null, string? program = null)
    {
        var at = port ?? FreePort.Next();
        place ??= SiloPlace.Loopback;
        string[] arguments = ["-port", $"{at}", "-host", place.Address, "-dbUrl", database.Url, .. flags ?? []];
        return new(Begin(arguments, WithSiloPort(environment), place: place, program: program), at, place);
    }

    /// <summary>Runs a sub-command or a mistaken command line until it exits.</summary>
    /// <returns>Its errors without the lines about waiting for the database, which depend on the machine.</returns>
    public static async Task<(int ExitCode, string Output, string Error)> Run(
        string[] arguments, Dictionary<string, string>? environment = null, string? workingDirectory = null,
        byte[]? input = null)
    {
        using var process = Begin(arguments, environment, workingDirectory);
        if (input is not null) await process.StandardInput.BaseStream.WriteAsync(input);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, WaitingLine().Replace(await error, ""));
    }

    [GeneratedRegex("^app: waiting for [^\n]*\n", RegexOptions.Multiline)]
    private static partial Regex WaitingLine();

    /// <summary>Runs a sub-command and kills it with SIGKILL once <paramref name="happened"/> completes.</summary>
    public static async Task RunAndKill(string[] arguments, Func<Task> happened)
    {
        using var process = Begin(arguments, null);
        await happened();
        Assert.False(process.HasExited, "It was done already.");
        process.Kill();
        await process.WaitForExitAsync();
    }

    /// <summary>Asserts that app verify finds nothing.</summary>
    public static async Task AssertVerifies(TestDatabase database) => Assert.Null(await Verify(database));

    /// <summary>
    /// What app verify finds, or null. It runs in this process, because starting another would cost more than the
    /// check.
    /// </summary>
    public static async Task<string?> Verify(TestDatabase database)
    {
        await using var opened = Database.For(DatabaseUrl.Parse(database.Url), new());
        var differences = await RunningLog.Differences(opened);
        return differences.Count == 0 ? null : $"app verify: {string.Join('\n', differences)}";
    }

    public async Task WaitReady()
    {
        var deadline = DateTime.UtcNow + StartPatience;
        while (true)
        {
            if (process.HasExited) throw new InvalidOperationException($"app exited with {process.ExitCode}: {Output}");
            try
            {
                using var response = await Http.GetAsync("/health/ready");
                if (response.IsSuccessStatusCode) return;
            }
            catch (Exception exception)
                when (exception is HttpRequestException or SocketException && DateTime.UtcNow < deadline)
            {
                // Not listening yet; or closed while connecting, for which the client throws the bare SocketException.
            }
            if (DateTime.UtcNow > deadline) throw new TimeoutException($"app did not become ready: {Output}");
            await Task.Delay(50);
        }
    }

    public async Task Kill()
    {
        Signal(9);
        await process.WaitForExitAsync();
    }

    /// <summary>Sends SIGTERM and returns the exit code.</summary>
    public async Task<int> Terminate()
    {
        Signal(15);
        await process.WaitForExitAsync();
        return process.ExitCode;
    }

    /// <summary>Waits until the process ends by itself, and returns its exit code.</summary>
    public async Task<int> Exit()
    {
        await process.WaitForExitAsync().WaitAsync(StartPatience);
        return process.ExitCode;
    }

    public void Signal(int number) => _ = kill(process.Id, number);

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (!process.HasExited) await Kill();
        process.Dispose();
    }

    private static Process Begin(
        string[] arguments, Dictionary<string, string>? environment, string? workingDirectory = null,
        SiloPlace? place = null, string? program = null)
    {
        // ip replaces itself with the program, so this is the program's own process.
        string[] inside = place?.Namespace is { } network ? ["ip", "netns", "exec", network] : [];
        string[] line = [.. inside, program ?? Binary, .. arguments];
        var start = new ProcessStartInfo(line[0], line[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = workingDirectory ?? "",
        };
        // Most processes live for seconds: compiling their code anew, to make it faster, would take longer than running
        // it. Without that, those under load would be too slow.
        start.Environment["DOTNET_TC_CallCountingDelayMs"] = "BB8"; // 3,000
        start.Environment["DOTNET_TieredPGO"] = "0";
        foreach (var (name, value) in environment ?? []) start.Environment[name] = value;
        return Process.Start(start)!;
    }

    // A port that the program picks itself may be taken by an outgoing connection first; see FreePort.
    private static Dictionary<string, string> WithSiloPort(Dictionary<string, string>? environment)
    {
        var all = new Dictionary<string, string>(environment ?? []);
        all.TryAdd("APP_SILO_PORT", $"{FreePort.Next()}");
        return all;
    }

    private void Keep(string? line)
    {
        if (line is null) return;
        lock (output) output.AppendLine(line);
    }

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
#pragma warning disable SYSLIB1054 // source-generated marshalling would need unsafe code for two integers
    private static extern int kill(int process, int signal);
#pragma warning restore SYSLIB1054
}
