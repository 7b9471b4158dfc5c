using Microsoft.Extensions.Time.Testing;
using Tally.Contracts;
using Tally.Grains;

namespace Tally.Tests.Pure;

/// <summary>A limit a second lets exactly that many through, not the nearest round number.</summary>
public sealed class Paces
{
    [Theory]
    [InlineData(1), InlineData(2), InlineData(3), InlineData(7), InlineData(9), InlineData(10), InlineData(11),
        InlineData(15), InlineData(19)]
    [InlineData(20), InlineData(25), InlineData(50), InlineData(99), InlineData(333), InlineData(667),
        InlineData(1_000), InlineData(3_001), InlineData(10_000)]
    public void As_many_pass_each_second_as_the_limit_says(int perSecond)
    {
        var clock = new FakeTimeProvider();
        var pace = new Pace(perSecond, clock);
        AssertPaced(perSecond, clock, () => pace.Wait().AsTask());
    }

    [Theory]
    [InlineData(1), InlineData(2), InlineData(5), InlineData(10), InlineData(19), InlineData(20), InlineData(25),
        InlineData(50), InlineData(10_000)]
    public void As_many_snapshots_are_written_each_second_as_the_limit_says(int perSecond)
    {
        var clock = new FakeTimeProvider();
        var snapshots =
            new Snapshots(storage: null!, new Limits { SnapshotsPerSecondMax = perSecond, LoadQueueMax = 1 << 20 },
                clock);
        AssertPaced(perSecond, clock, () => snapshots.TakeTurn().AsTask());
    }

    [Fact]
    public async Task Beyond_those_that_may_wait_one_is_refused_at_once()
    {
        var pace = new Pace(2, new FakeTimeProvider());
        Assert.True(await pace.Wait(3));
        Task<bool>[] waiting = [pace.Wait(3).AsTask(), pace.Wait(3).AsTask(), pace.Wait(3).AsTask()];
        Assert.All(waiting, one => Assert.False(one.IsCompleted));
        Assert.False(await pace.Wait(3));
    }

    [Fact]
    public async Task What_was_not_used_is_not_saved_up()
    {
        var clock = new FakeTimeProvider();
        var pace = new Pace(10, clock);
        Assert.True(await pace.Wait());
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.True(await pace.Wait());
        var next = pace.Wait().AsTask();
        clock.Advance(TimeSpan.FromMilliseconds(99));
        Assert.False(next.IsCompleted);
        clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(next.IsCompleted);
    }

    // All ask at once: the first passes immediately, and then the limit's number in each second.
    private static void AssertPaced(int perSecond, FakeTimeProvider clock, Func<Task<bool>> wait)
    {
        Assert.True(wait().IsCompletedSuccessfully);
        var seconds = Math.Clamp(2_000 / perSecond, 1, 10); // the fake clock scans all waiters for each that it wakes
        Task<bool>[] waiting = [.. Enumerable.Range(0, perSecond * seconds + 1).Select(_ => wait())];
        for (var second = 1; second <= seconds; second++)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            // One may be late by a rounded-up millisecond; none is early.
            Assert.InRange(waiting.Count(one => one.IsCompleted), second * perSecond - 1, second * perSecond);
        }
    }
}
