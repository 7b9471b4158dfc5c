using Tally.Tests.Harness;

namespace Tally.Tests.Pure.Placement;

/// <summary>
/// Whatever a silo has missed: what was acknowledged is in every view that begins afterwards, through whichever silo.
/// The reasons are in docs/reliability.md; each that is left out is found.
/// </summary>
public sealed class OneOwner
{
    private const int Runs = 300;
    private const int Steps = 40_000;

    [Fact]
    public void No_view_is_stale()
    {
        var (views, acknowledgements, moves) = (0, 0, 0);
        Assert.Null(Simulate(random => new(random), cluster =>
        {
            views += cluster.Views;
            acknowledgements += cluster.Acknowledgements;
            moves += cluster.Moves;
        }));
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{views} views, {acknowledgements} acknowledgements, {moves} moves");
        Assert.True(views > 10_000 && acknowledgements > 10_000 && moves > 1_000, "It shows too little.");
    }

    [Fact]
    public void A_proof_that_is_worth_more_than_the_takeover_time_is_found() =>
        Assert.NotNull(Simulate(random => new(random) { Worth = 3_000 }));

    [Fact]
    public void A_write_that_is_acknowledged_without_a_proof_is_found() =>
        Assert.NotNull(Simulate(random => new(random) { ProvesWrites = false }));

    [Fact]
    public void A_silo_that_says_that_it_leaves_and_goes_on_is_found() =>
        Assert.NotNull(Simulate(random => new(random) { LeavesInOrder = false }));

    private static string? Simulate(Func<Random, SimulatedCluster> make, Action<SimulatedCluster>? count = null)
    {
        var seed = Seed.Next();
        for (var run = 0; run < Runs; run++)
        {
            var cluster = make(new(seed + run));
            for (var step = 0; step < Steps; step++)
                if (cluster.Step() is { } wrong) return $"In run {run}, step {step}: {wrong}";
            count?.Invoke(cluster);
        }
        return null;
    }
}
