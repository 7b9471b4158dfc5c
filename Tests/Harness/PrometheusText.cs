using System.Globalization;
using System.Text.RegularExpressions;

namespace Tally.Tests.Harness;

/// <summary>An answer of /metrics. Every line must be valid in Prometheus's text format.</summary>
public sealed partial class PrometheusText
{
    private readonly List<(string Name, string Labels, double Value)> samples = [];

    private PrometheusText(string text)
    {
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (Comment().IsMatch(line)) continue;
            var sample = Sample().Match(line);
            Assert.True(sample.Success, $"This is no line of Prometheus' format: {line}");
            samples.Add((sample.Groups["name"].Value, sample.Groups["labels"].Value,
                Number(sample.Groups["value"].Value)));
        }
    }

    // The exporter gives the same answer for 300 ms, to whoever asks.
    private static readonly TimeSpan Cached = TimeSpan.FromMilliseconds(350);

    /// <summary>The metrics as they are now or later.</summary>
    public static async Task<PrometheusText> Scrape(AppProcess app)
    {
        await Task.Delay(Cached);
        using var response = await app.Http.GetAsync("/metrics");
        Assert.Equal((200, "text/plain"), ((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType));
        return new(await response.Content.ReadAsStringAsync());
    }

    public IEnumerable<string> Names => samples.Select(sample => sample.Name).Distinct();

    public IEnumerable<string> Labels => samples.Select(sample => sample.Labels);

    /// <summary>The sum of a series over its labels; 0 if there is none yet.</summary>
    /// <param name="label">Only samples with this label, as written in the text.</param>
    public double Sum(string name, string label = "") => samples
        .Where(sample => sample.Name == name && sample.Labels.Contains(label, StringComparison.Ordinal))
        .Sum(sample => sample.Value);

    private static double Number(string text) => text switch
    {
        "+Inf" => double.PositiveInfinity,
        "-Inf" => double.NegativeInfinity,
        _ => double.Parse(text, CultureInfo.InvariantCulture),
    };

    [GeneratedRegex(@"^#( (TYPE [a-zA-Z_:][a-zA-Z0-9_:]* (counter|gauge|histogram|summary|untyped|info|unknown)|(HELP|UNIT) .*|EOF))?\r?$")]
    private static partial Regex Comment();

    [GeneratedRegex("""^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?<labels>([a-zA-Z_][a-zA-Z0-9_]*="([^"\\]|\\.)*",?)*)\})? (?<value>[+-]?([0-9.eE+-]+|Inf)|NaN)( [0-9]+)?\r?$""")]
    private static partial Regex Sample();
}
