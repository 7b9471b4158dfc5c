using Tally.Silo.Settings;

namespace Tally.Silo.CommandLine;

/// <summary><c>app health</c>: for a container that has no shell and no curl.</summary>
internal static class HealthCommand
{
    /// <summary>
    /// The flags of the app that is a container's first process: a health check shares its variables only.
    /// </summary>
    public static string[] FlagsOfTheContainer()
    {
        const string commandLine = "/proc/1/cmdline";
        if (!File.Exists(commandLine)) return [];
        var words = File.ReadAllText(commandLine).TrimEnd('\0').Split('\0');
        return words[0] == Environment.ProcessPath ? words[1..] : [];
    }

    public static async Task<int> Run(AppSettings settings)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(5), MaxResponseContentBufferSize = 1 << 16 };
        try
        {
            using var response = await client.GetAsync(new Uri(settings.LocalUrl, "/health/ready"));
            Console.WriteLine(await response.Content.ReadAsStringAsync());
            return response.IsSuccessStatusCode ? 0 : 1;
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
        {
            await Console.Error.WriteLineAsync($"app: not ready: {exception.Message}");
            return 1;
        }
    }
}
