using System.Text.Json;
using Tally.Tests.Harness;

namespace Tally.Tests.Cluster;

/// <summary>What clients are told while the database is away.</summary>
internal static class Refusals
{
    // The front end allows a request 10 s. Half of the refusals must be much faster: nobody waits for that deadline.
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
