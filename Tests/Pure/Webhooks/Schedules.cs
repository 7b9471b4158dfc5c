using Microsoft.Extensions.Time.Testing;
using Tally.Silo.Webhooks;

namespace Tally.Tests.Pure.Webhooks;

/// <summary>When firings are sent again, and whose turn it is.</summary>
public sealed class Schedules
{
    private static readonly WebhookOutcome Delivered = new(200, null, null, TimeSpan.Zero);
    private static readonly WebhookOutcome Failed = new(500, "answered 500", null, TimeSpan.Zero);

    [Fact]
    public void The_delays_are_the_specification_s_and_then_it_ends()
    {
        var schedule = new RetrySchedule(new());
        double[] hours = [5 / 3600.0, 5 / 60.0, 0.5, 2, 5, 10, 14, 20, 24];
        foreach (var (place, expected) in hours.Index())
        {
            Assert.Equal(expected, schedule.After(place + 1, null, 0)!.Value.TotalHours, 1e-9);
            Assert.Equal(1.1 * expected, schedule.After(place + 1, null, 1)!.Value.TotalHours, 1e-9);
        }
        Assert.Null(schedule.After(10, null, 0));
        Assert.Null(schedule.After(11, TimeSpan.FromSeconds(1), 0));
    }

    [Fact]
    public void What_a_receiver_asks_for_can_only_make_it_later_and_by_a_day_at_most()
    {
        var schedule = new RetrySchedule(new());
        Assert.Equal(TimeSpan.FromSeconds(90), schedule.After(1, TimeSpan.FromSeconds(90), 0));
        Assert.Equal(TimeSpan.FromSeconds(5), schedule.After(1, TimeSpan.FromSeconds(1), 0));
        Assert.Equal(TimeSpan.FromHours(24), schedule.After(1, TimeSpan.MaxValue, 0));
    }

    [Fact]
    public void Every_host_gets_its_part_and_none_more_than_it_may()
    {
        var turns = new HostTurns(new() { WebhookTriesMax = 10, WebhookTriesPerHostMax = 4 }, new FakeTimeProvider());
        Assert.Equal((4, 1), (turns.Share(["a"])["a"], turns.Share(["a"]).Count));
        var share = turns.Share(["a", "b", "c"]);
        Assert.Equal(10, share.Values.Sum());
        Assert.All(share.Values, given => Assert.InRange(given, 3, 4));
    }

    [Fact]
    public void With_more_hosts_than_tries_all_come_to_their_turn()
    {
        var turns = new HostTurns(new() { WebhookTriesMax = 3 }, new FakeTimeProvider());
        string[] hosts = [.. Enumerable.Range(0, 10).Select(i => $"h{i}")];
        var seen = new HashSet<string>();
        for (var round = 0; round < 4; round++)
        {
            var share = turns.Share(hosts);
            Assert.Equal(3, share.Values.Sum());
            seen.UnionWith(share.Keys);
        }
        Assert.Equal(hosts, seen.Order());
    }

    [Fact]
    public void However_many_receivers_are_down_half_of_the_tries_are_left_for_the_others()
    {
        var turns = new HostTurns(new() { WebhookTriesMax = 8 }, new FakeTimeProvider());
        string[] dead = [.. Enumerable.Range(0, 100).Select(i => $"dead{i}")];
        foreach (var host in dead)
        {
            turns.Begin(host);
            turns.End(host, Failed);
        }
        var begun = 0;
        for (var round = 0; round < 10; round++)
            foreach (var (host, count) in turns.Share([.. dead, "fine"]).Where(one => one.Key != "fine"))
                for (var i = 0; i < count; i++, begun++) turns.Begin(host);
        Assert.Equal(4, begun);
        Assert.Equal(4, turns.Share([.. dead, "fine"])["fine"]);
    }

    [Fact]
    public void A_host_that_is_slow_or_fails_has_one_try_until_it_is_fine_again()
    {
        var turns = new HostTurns(new(), new FakeTimeProvider());
        foreach (var (outcome, tries) in ((WebhookOutcome?, int)[])[(Delivered, 4), (Failed, 1), (null, 1),
            (Delivered, 4), (Delivered with { Time = TimeSpan.FromSeconds(3) }, 1), (Delivered, 4)])
        {
            turns.Begin("a");
            turns.End("a", outcome);
            Assert.Equal(tries, turns.Share(["a"])["a"]);
        }
    }
}
