using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tally.Bench.Results;

/// <summary>Everything that a run has found. Its JSON has the same members.</summary>
internal sealed class Report
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // never becomes part of a web page
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        PreferredObjectCreationHandling = JsonObjectCreationHandling.Populate,
    };

    /// <summary>Where and how the run took place, for the reader.</summary>
    public Dictionary<string, string> Conditions { get; } = [];

    public List<Throughput> Throughputs { get; } = [];
    public List<Latency> Latencies { get; } = [];
    public List<Figure> Figures { get; } = [];
    public List<NotRun> NotRun { get; } = [];
    public IReadOnlyList<Target> Targets => Target.FindAll(this);

    /// <summary>
    /// The median of events a second with this many connections, or else with the most that were measured.
    /// </summary>
    public double? EventsPerSecond(string workload, string contender, int? connections = null) =>
        FindThroughput(workload, contender, connections)?.EventsPerSecond.Median;

    /// <summary>
    /// The median processor time an event of all of a contender's own processes, with the most connections that were
    /// measured.
    /// </summary>
    public double? OwnMicroseconds(string workload, string contender) =>
        FindThroughput(workload, contender)?.OwnMicroseconds.Median;

    /// <summary>The median of p99 in milliseconds, with the most connections that were measured.</summary>
    public double? P99(string workload, string contender) =>
        Latencies.Where(l => l.Workload == workload && l.Contender == contender).MaxBy(l => l.Connections)?.P99.Median;

    public Figure? Find(string what) => Figures.Find(figure => figure.What == what);

    /// <param name="file">A report.json.</param>
    /// <exception cref="JsonException">The file is not a report.</exception>
    public static async Task<Report> Read(string file) =>
        JsonSerializer.Deserialize<Report>(await File.ReadAllTextAsync(file), Json) ?? throw new JsonException("null");

    /// <summary>Writes report.md, report.json and the charts.</summary>
    public async Task Write(string folder)
    {
        Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(Path.Combine(folder, "report.md"), Markdown.Write(this));
        await File.WriteAllTextAsync(Path.Combine(folder, "report.json"), JsonSerializer.Serialize(this, Json) + "\n");
        await WriteCharts(folder);
    }

    /// <summary>Writes those charts for which there are figures.</summary>
    public async Task WriteCharts(string folder)
    {
        foreach (var (name, chart) in Charts.Draw(this))
            await File.WriteAllTextAsync(Path.Combine(folder, $"{name}.svg"), chart.Svg());
    }

    private Throughput? FindThroughput(string workload, string contender, int? connections = null) => Throughputs
        .Where(t =>
            t.Workload == workload && t.Contender == contender && (connections is null || t.Connections == connections))
        .MaxBy(t => t.Connections);
}
