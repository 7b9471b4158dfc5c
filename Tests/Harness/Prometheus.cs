using System.Diagnostics;
using System.Text.Json;

namespace Tally.Tests.Harness;

/// <summary>The real Prometheus, which scrapes apps each second and evaluates the shipped rules.</summary>
public sealed class Prometheus : IAsyncDisposable
{
    private readonly Process process;
    private readonly string folder;
    private readonly HttpClient http;

    private Prometheus(Process process, string folder, int port) =>
        (this.process, this.folder, http) =
            (process, folder, new HttpClient { BaseAddress = new($"http://127.0.0.1:{port}") });

    /// <summary>Starts it. Skips the test if there is no Prometheus.</summary>
    public static async Task<Prometheus> Start(string rules, IEnumerable<int> ports)
    {
        var binary = Tool.Find("prometheus", "Asking what a dashboard asks", "prometheus");
        var folder = Directory.CreateTempSubdirectory("tally-prometheus-").FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "prometheus.yaml"), $"""
            global:
              scrape_interval: 1s
              evaluation_interval: 1s
            rule_files: ["{rules}"]
            scrape_configs:
              - job_name: tally
                static_configs:
                  - targets: [{string.Join(", ", ports.Select(port => $"\"127.0.0.1:{port}\""))}]
            """);
        var port = FreePort.Next();
        var start = new ProcessStartInfo(binary,
            [$"--config.file={folder}/prometheus.yaml", $"--storage.tsdb.path={folder}/data",
                $"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]);
        var prometheus = new Prometheus(Process.Start(start)!, folder, port);
        await Eventually.True(prometheus.Serves, "Prometheus does not serve.");
        return prometheus;
    }

    /// <summary>How many series a query answers now. The query must be valid.</summary>
    public async Task<int> Count(string query) =>
        (await Ask($"query?query={Uri.EscapeDataString(query)}")).GetProperty("result").GetArrayLength();

    /// <summary>The label sets of the series with a name.</summary>
    public async Task<IReadOnlyList<IReadOnlyDictionary<string, string>>> Series(string name) =>
        [.. (await Ask($"series?match[]={name}")).EnumerateArray()
            .Select(series => series.EnumerateObject()
                .ToDictionary(label => label.Name, label => label.Value.GetString()!))];

    /// <summary>
    /// The health of each alert's rule: ok, or what is wrong with it; unknown before its first evaluation.
    /// </summary>
    public async Task<IReadOnlyDictionary<string, string>> RuleHealth() =>
        (await Ask("rules")).GetProperty("groups").EnumerateArray()
            .SelectMany(group => group.GetProperty("rules").EnumerateArray())
            .ToDictionary(rule => rule.GetProperty("name").GetString()!, rule =>
                rule.TryGetProperty("lastError", out var error) && error.GetString() is { Length: > 0 } text
                    ? text : rule.GetProperty("health").GetString()!);

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        if (!process.HasExited) process.Kill(); // it holds nothing that could be lost
        await process.WaitForExitAsync();
        process.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private async Task<bool> Serves()
    {
        Assert.False(process.HasExited, "Prometheus ended.");
        try
        {
            return (await http.GetAsync("/-/ready")).IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false; // not listening yet
        }
    }

    private async Task<JsonElement> Ask(string path)
    {
        using var response = await http.GetAsync("/api/v1/" + path);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{path}: {text}");
        return JsonDocument.Parse(text).RootElement.GetProperty("data").Clone();
    }
}
