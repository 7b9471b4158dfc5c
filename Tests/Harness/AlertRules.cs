using YamlDotNet.Serialization;

namespace Tally.Tests.Harness;

/// <summary>One of deploy/monitoring/alerts.yaml.</summary>
public sealed record AlertRule(string Name, string Query, string Severity, string Runbook, string Summary)
{
    public const string File = "deploy/monitoring/alerts.yaml";

    public static IReadOnlyList<AlertRule> All { get; } = Read();

    private static List<AlertRule> Read()
    {
        var file = new DeserializerBuilder().Build()
            .Deserialize<Dictionary<string, List<Dictionary<string, object>>>>(
                System.IO.File.ReadAllText(Repository.File(File)));
        return [.. file["groups"].SelectMany(group => (List<object>)group["rules"])
            .Cast<Dictionary<object, object>>().Select(rule => new AlertRule((string)rule["alert"],
                (string)rule["expr"], Text(rule["labels"], "severity"), Text(rule["annotations"], "runbook_url"),
                Text(rule["annotations"], "summary")))];
    }

    private static string Text(object map, string key) => (string)((Dictionary<object, object>)map)[key];
}
