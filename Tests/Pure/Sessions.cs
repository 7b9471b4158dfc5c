using Tally.Silo.Storage;
using Tally.Tests.Harness;

namespace Tally.Tests.Pure;

/// <summary>Sessions of any history, against a model that splits it at its pauses.</summary>
public sealed class Sessions
{
    private static readonly DateTime Day = new(2026, 3, 10, 0, 0, 0, DateTimeKind.Utc);

    [Fact]
    public void Any_history_is_divided_as_the_model_divides_it()
    {
        var random = new Random(Seed.Next());
        for (var run = 0; run < 3_000; run++)
        {
            var events = Enumerable.Range(0, random.Next(60)).Select(i => SessionModel.Draw(random, i, Day)).ToList();
            var (from, to) = (Day.AddDays(-random.Next(2)), Day.AddDays(random.Next(1, 3)));
            var sessions = Scan(events, new(from, to, null));
            Assert.Equal(SessionModel.Of(events, null, from, to).Select(SessionModel.Line).Order(),
                sessions.Select(one => SessionModel.Line(
                    one.Product, one.Start, one.End, one.Events, one.EntryPath, one.ExitPath)).Order());
        }
    }

    [Fact]
    public void A_session_that_goes_on_and_on_counts_with_one_day_past_the_range()
    {
        var events = Enumerable.Range(0, 300).Select(i =>
            new FunnelEvent(i, "f", "k8s", "view", Day.AddHours(23).AddMinutes(20 * i), $"/{i}", null)).ToList();
        var session = Assert.Single(Scan(events, new(Day, Day.AddDays(1), null)));
        Assert.Equal((Day.AddDays(2).AddMinutes(-20), 75, "/0", "/74"),
            (session.End, session.Events, session.EntryPath, session.ExitPath));
        Assert.Empty(Scan(events, new(Day.AddDays(1), Day.AddDays(2), null)));
    }

    [Fact]
    public void A_scan_stops_when_it_is_told_to()
    {
        var taken = 0;
        var scan = new SessionScan(new(Day, Day.AddDays(1), null), _ => ++taken < 2);
        Assert.True(scan.Add("a", "k8s", Day, null));
        Assert.True(scan.Add("b", "k8s", Day, null));
        Assert.False(scan.Add("c", "k8s", Day, null));
    }

    [Fact]
    public void Medians_are_of_the_middle()
    {
        Assert.Null(Medians.Find([]));
        Assert.Equal(TimeSpan.FromTicks(7), Medians.Find([7]));
        Assert.Equal(TimeSpan.FromTicks(5), Medians.Find([9, 1, 3, 7]));
        Assert.Equal(TimeSpan.FromTicks(long.MaxValue - 1), Medians.Find([long.MaxValue, long.MaxValue - 2]));
    }

    private static List<Session> Scan(IEnumerable<FunnelEvent> events, SessionQuestion question)
    {
        var sessions = new List<Session>();
        var scan = new SessionScan(question, session =>
        {
            sessions.Add(session);
            return true;
        });
        foreach (var one in events
            .Where(one => one.Occurred >= question.From - SessionScan.PauseMax
                && one.Occurred < question.To + SessionScan.Overtime)
            .OrderBy(one => one.Fingerprint).ThenBy(one => one.Product).ThenBy(one => one.Occurred)
            .ThenBy(one => one.Number))
            Assert.True(scan.Add(one.Fingerprint, one.Product, one.Occurred, one.Properties));
        Assert.True(scan.Finish());
        return sessions;
    }
}
