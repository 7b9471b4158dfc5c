using System.Text.Json;
using Tally.Bench.Workloads;
using Tally.Tests.Harness;

namespace Tally.Bench.Contenders;

/// <summary>
/// The strongest alternative: durable counters over HTTP, without a log and without ids to dedupe by. Both programs
/// have Debian's settings, except for durability and ports.
/// </summary>
internal static class Redis
{
    private const int WebdisThreads = 2; // Debian's default

    public static string? Missing()
    {
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':');
        string[] missing =
            [.. ((string[])["webdis", "redis-server"]).Where(name =>
                !path.Any(folder => File.Exists($"{folder}/{name}")))];
        return missing.Length == 0 ? null : $"not installed (Debian: apt-get install {string.Join(' ', missing)})";
    }

    public static async Task<Contender> Start(Ground ground)
    {
        var folder = Directory.CreateDirectory(Path.Combine(ground.Folder, "redis")).FullName;
        var (redisPort, webdisPort) = (FreePort.Next(), FreePort.Next());
        var redis = await ServerProcess.Start(folder, redisPort, "redis-server",
            ["--port", $"{redisPort}", "--bind", "127.0.0.1", "--dir", folder,
                "--appendonly", "yes", "--appendfsync", "always", "--save", ""]);
        var settings = Path.Combine(folder, "webdis.json");
        await File.WriteAllTextAsync(settings, JsonSerializer.Serialize(new Dictionary<string, object>
        {
            ["redis_host"] = "127.0.0.1",
            ["redis_port"] = redisPort,
            ["http_host"] = "127.0.0.1",
            ["http_port"] = webdisPort,
            ["threads"] = WebdisThreads,
            ["daemonize"] = false,
            ["database"] = 0,
            ["verbosity"] = 0,
            ["logfile"] = Path.Combine(folder, "webdis.log"),
        }));
        return new HttpContender("redis", Dialect.Webdis,
            [await ServerProcess.Start(folder, webdisPort, "webdis", [settings])], redis);
    }
}
