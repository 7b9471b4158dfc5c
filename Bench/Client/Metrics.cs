using System.Globalization;

namespace Tally.Bench.Client;

/// <summary>What the app says of itself at /metrics, in Prometheus' text format.</summary>
internal static class Metrics
{
    private static readonly HttpClient Http = new();

    // A scrape is answered from memory for 300 ms.
    private static readonly TimeSpan KeptFor = TimeSpan.FromSeconds(0.5);

    /// <summary>The sum of a series over its labels, of each server; 0 where there is none yet.</summary>
    public static async Task<double[]> Read(IReadOnlyList<int> ports, string series, CancellationToken cancellation)
    {
        await Task.Delay(KeptFor, cancellation);
        var texts = await Task.WhenAll(
            ports.Select(port => Http.GetStringAsync($"http://127.0.0.1:{port}/metrics", cancellation)));
        return [.. texts.Select(text => Sum(text, series))];
    }

    /// <param name="text">Lines of <c>series{labels} value timestamp</c>, labels and timestamp optional.</param>
    public static double Sum(string text, string series) => text.Split('\n')
        .Where(line => line.StartsWith(series, StringComparison.Ordinal)
            && line.Length > series.Length && line[series.Length] is ' ' or '{')
        .Sum(line => Value(line[series.Length..]));

    private static double Value(string rest) => double.Parse(
        rest[(rest.LastIndexOf('}') + 1)..].Trim().Split(' ')[0], CultureInfo.InvariantCulture);
}
