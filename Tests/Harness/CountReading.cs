using System.Text.Json;
using Tally.Silo.Http.Live;

namespace Tally.Tests.Harness;

/// <summary>
/// Follows the counts. In every message the additions must lead to its totals, however they are split over messages.
/// </summary>
public sealed class CountReading(LiveStream live) : IAsyncDisposable
{
    public Dictionary<(string, string), long> Totals { get; } = [];

    public static async Task<CountReading> Open(AppProcess app, string path)
    {
        var reading = new CountReading(await LiveStream.Open(app, path));
        var first = await reading.Next();
        Assert.Null(first.Added);
        foreach (var count in first.Counts) reading.Totals[(count.Product, count.Action)] = count.Total;
        Assert.Equal(first.Total, reading.Totals.Values.Sum());
        return reading;
    }

    public async Task ReadUntil(long total)
    {
        while (Totals.Values.Sum() < total)
        {
            var message = await Next();
            Assert.NotEmpty(message.Counts);
            Assert.Equal(message.Added, message.Counts.Sum(count => count.Added));
            foreach (var count in message.Counts)
            {
                Assert.True(count.Added > 0, $"{count}");
                Assert.Equal(count.Total,
                    Totals[(count.Product, count.Action)] = Totals.GetValueOrDefault((count.Product, count.Action))
                        + count.Added!.Value);
            }
            Assert.Equal(message.Total, Totals.Values.Sum());
        }
        Assert.Equal(total, Totals.Values.Sum());
    }

    public ValueTask DisposeAsync() => live.DisposeAsync();

    private async Task<LiveCounts> Next() =>
        (await live.NextData()).Deserialize<LiveCounts>(JsonSerializerOptions.Web)!;
}
