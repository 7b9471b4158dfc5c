using System.Text.Json;
using Tally.Tests.Harness;

namespace Tally.Tests.Cluster;

/// <summary>What a client is told while the database is away.</summary>
internal static class Refusals
{
    // The front end gives a request 10 s. Half the refusals far below it: nobody waits for that deadline to pass.
    private static readonly TimeSpan Quickly = TimeSpan.FromSeconds(5);

    public static void AssertUnavailableAndQuick(LoadHistory history)
    {
        var refused = history.With(AttemptOutcome.Refused).ToList();
        Assert.All(refused, attempt =>
        {
            Assert.Equal("1", attempt.RetryAfter);
            Assert.Equal("unavailable",
                JsonDocument.Parse(attempt.Answer).RootElement.GetProperty("reason").GetString());
        });
        var median = refused.Select(attempt => attempt.Took).Order().ElementAt(refused.Count / 2);
        Assert.True(median < Quickly, $"Half of the refusals took more than {median}.");
    }
}
