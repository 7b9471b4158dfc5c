using System.Text.Json.Nodes;

namespace Tally.Bench.Contenders;

/// <summary>
/// Gives this program's contenders the runtime settings of the published <c>app</c> (garbage collector, thread pool,
/// compilation), so that no figure compares two runtimes.
/// </summary>
internal static class RuntimeSettings
{
    private const string Properties = "configProperties";

    /// <returns>The path of a runtimeconfig.json for <c>dotnet exec</c>.</returns>
    public static string Take(string app, string folder)
    {
        var own = Read(Path.Combine(AppContext.BaseDirectory, "Tally.Bench.runtimeconfig.json"))!;
        // An app published as a single file keeps its settings inside. Then this program's own are used.
        if (Read(app + ".runtimeconfig.json")?["runtimeOptions"]?[Properties] is { } properties)
            own["runtimeOptions"]![Properties] = properties.DeepClone();
        var path = Path.Combine(folder, "contenders.runtimeconfig.json");
        File.WriteAllText(path, own.ToJsonString());
        return path;
    }

    private static JsonNode? Read(string path) => File.Exists(path) ? JsonNode.Parse(File.ReadAllText(path)) : null;
}
