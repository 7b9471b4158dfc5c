using System.Diagnostics;
using System.Globalization;
using Tally.Bench.Contenders;
using Tally.Bench.Results;
using Tally.Bench.Workloads;

namespace Tally.Bench.Parts;

/// <summary>Compares this benchmark's load client with wrk, an established one, in turn on the bare server.</summary>
internal static class ClientCheck
{
    private const string Script = """
        wrk.method = "POST"
        wrk.body = "action=view&product=k8s&fingerprint=v-000000000000"
        wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
        """;

    private static readonly Workload Hot = Workload.All.Single(workload => workload.Name == "hot");

    private sealed record Turn(double PerSecond, double Microseconds);

    public static async Task Run(Settings settings, Ground ground, Report report, CancellationToken cancellation)
    {
        if (!File.Exists("/usr/bin/wrk"))
        {
            report.NotRun.Add(new("hot", "wrk", "not installed (Debian: apt-get install wrk)"));
            return;
        }
        await using var bare = (HttpContender)await Entrant.Named("bare").Start(ground);
        bare.Run(Hot, new(settings.Connections.Max(), settings.WarmUp));
        List<Turn> own = [], wrk = [];
        for (var turn = 0; turn < settings.Turns; turn++)
        {
            cancellation.ThrowIfCancellationRequested();
            var result = bare.Run(Hot, new(settings.Connections.Max(), settings.Turn));
            own.Add(new(result.Answered / result.Seconds, result.CpuSeconds * 1e6 / result.Answered));
            wrk.Add(await Wrk(settings, ground, bare.Ports[0]));
        }
        Add("this client", own);
        Add("wrk", wrk);

        void Add(string client, List<Turn> turns)
        {
            report.Figures.Add(
                new($"bare, hot, pressed by {client}", new([.. turns.Select(turn => turn.PerSecond)]), "requests/s"));
            report.Figures.Add(
                new($"processor time of {client}", new([.. turns.Select(turn => turn.Microseconds)]), "us/request"));
        }
    }

    private static async Task<Turn> Wrk(Settings settings, Ground ground, int port)
    {
        var script = Path.Combine(ground.Folder, "wrk.lua");
        await File.WriteAllTextAsync(script, Script);
        using var process = Process.Start(new ProcessStartInfo("/usr/bin/wrk",
        [
            "-t1", $"-c{settings.Connections.Max()}", $"-d{Math.Ceiling(settings.Turn.TotalSeconds)}s", "-s", script,
            $"http://127.0.0.1:{port}/api/events",
        ])
        { RedirectStandardOutput = true })!;
        var output = process.StandardOutput.ReadToEndAsync();
        double cpu = 0;
        while (!process.HasExited)
        {
            cpu = Math.Max(cpu, ProcessTree.CpuSeconds([process.Id])); // gone when the process ends
            await Task.WhenAny(process.WaitForExitAsync(), Task.Delay(50));
        }
        // "  123456 requests in 5.00s, 20.00MB read"
        var line = (await output).Split('\n').First(text => text.Contains(" requests in ", StringComparison.Ordinal))
            .Trim().Split(' ');
        var requests = double.Parse(line[0], CultureInfo.InvariantCulture);
        return new(requests / double.Parse(line[3].TrimEnd('s', ','), CultureInfo.InvariantCulture),
            cpu * 1e6 / requests);
    }
}
