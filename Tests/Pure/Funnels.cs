using Tally.Grains.EventLog;
using Tally.Silo.Http.Breakdowns;
using Tally.Silo.Http.Funnels;
using Tally.Silo.Storage;
using Tally.Tests.Harness;
using Calendar = Tally.Grains.Calendar;

namespace Tally.Tests.Pure;

/// <summary>How far fingerprints get: the fold against every choice of events, and how steps are written.</summary>
public sealed class Funnels
{
    private static readonly DateTime Day = new(2026, 3, 10, 0, 0, 0, DateTimeKind.Utc);
    private static readonly Dimensions Known = new(["path"], new(["browser"], null));

    [Fact]
    public void Any_history_is_counted_as_the_model_counts_it()
    {
        var random = new Random(Seed.Next());
        var furthest = 0;
        for (var run = 0; run < 3_000; run++)
        {
            var events = Enumerable.Range(0, random.Next(60)).Select(i => FunnelEvent.Draw(random, i, Day)).ToList();
            var model = FunnelModel.Draw(random, Day);
            var steps = FunnelSteps.Parse(string.Join(',', model.Steps), Known)!;
            var question = new FunnelQuestion(steps, model.Within, model.From, model.To)
            {
                Product = model.Product, By = model.ByPath ? "path" : null,
            };
            var scan = new FunnelScan(question, valuesMax: 100);
            foreach (var one in events
                .Where(one => (model.Product ?? one.Product) == one.Product && one.Occurred >= model.From
                    && one.Occurred < model.To + model.Within && steps.Any(step => step.Action == one.Action))
                .OrderBy(one => one.Fingerprint).ThenBy(one => one.Occurred).ThenBy(one => one.Number))
                scan.Add(one.Fingerprint, one.Occurred, one.Action, scan.ReadsProperties ? one.Properties : null);
            var sums = scan.ToSums(limit: 2);
            List<string> lines =
            [
                .. Lines("all", model, sums.All),
                .. sums.Values.SelectMany(one => Lines("value " + one.Value, model, one.Steps)),
                .. sums.Others is null ? [] : Lines("other", model, sums.Others),
            ];
            Assert.Equal(model.Lines(events, 2), lines);
            furthest += sums.All[^1].Fingerprints > 0 ? 1 : 0;
        }
        Assert.InRange(furthest, 100, 2_900);
    }

    [Fact]
    public void Of_any_days_the_best_attempts_of_each_day_are_those_of_the_scan()
    {
        var random = new Random(Seed.Next());
        Calendar[] calendars =
            [Calendar.Utc, Calendar.Find("Asia/Kathmandu")!, Calendar.Find("America/New_York")!];
        var severalDays = 0;
        for (var run = 0; run < 3_000; run++)
        {
            var calendar = calendars[run % calendars.Length];
            var events = Enumerable.Range(0, random.Next(60)).Select(i => FunnelEvent.Draw(random, i, Day))
                .OrderBy(one => one.Fingerprint, StringComparer.Ordinal).ThenBy(one => one.Occurred)
                .ThenBy(one => one.Number).ToList();
            var model = FunnelModel.Draw(random, Day);
            var steps = FunnelSteps.Parse(string.Join(',', model.Steps), Known)!;
            var funnel = new KeptFunnel("way", steps, model.Product, model.Within);
            var visits = new List<FunnelVisit>();
            var fold = new FunnelFold(funnel, calendar, visits.Add);
            foreach (var one in events)
                fold.Add(one.Fingerprint, one.Number, one.Occurred, one.Action, one.Product, one.Properties);
            fold.Finish();
            Assert.Equal(visits.Count, visits.DistinctBy(visit => (visit.Day, visit.Fingerprint)).Count());

            var from = DateOnly.FromDateTime(Day).AddDays(random.Next(-5, 4));
            var to = from.AddDays(random.Next(1, 8));
            var group = new FunnelGroup(steps.Count);
            foreach (var history in visits.Where(visit => visit.Day >= from && visit.Day < to)
                .GroupBy(visit => visit.Fingerprint)) // as read_funnel_visits.sql
            {
                severalDays += history.Count() > 1 ? 1 : 0;
                group.Add([.. history.OrderByDescending(visit => visit.Times.Length).ThenBy(visit => visit.Reached)
                    .ThenBy(visit => visit.Sequence).ThenByDescending(visit => visit.Day).First()
                    .Times.Select(time => time * TimeSpan.TicksPerMicrosecond)]);
            }
            var scan = new FunnelScan(funnel.Ask(calendar.StartOf(from), calendar.StartOf(to)), valuesMax: 100);
            foreach (var one in events.Where(one => (model.Product ?? one.Product) == one.Product
                && one.Occurred >= calendar.StartOf(from) && one.Occurred < calendar.StartOf(to) + model.Within))
                scan.Add(one.Fingerprint, one.Occurred, one.Action, one.Properties);
            Assert.Equal(scan.ToSums(1).All, FunnelGroup.Sum([group], steps.Count));
        }
        Assert.InRange(severalDays, 100, int.MaxValue);
    }

    private static IEnumerable<string> Lines(string of, FunnelModel model, IReadOnlyList<FunnelStepSum> sums) =>
        sums.Select((sum, i) => FunnelModel.Line(of, model.Steps[i], sum.Fingerprints, sum.SinceFirst?.TotalSeconds,
            sum.SincePrevious?.TotalSeconds));

    [Fact]
    public void Values_beyond_the_limit_count_together()
    {
        var steps = FunnelSteps.Parse("view,buy", Known)!;
        var scan = new FunnelScan(new(steps, TimeSpan.FromDays(1), Day, Day.AddDays(1)) { By = "path" }, valuesMax: 3);
        for (var i = 0; i < 10; i++)
        {
            scan.Add($"f{i}", Day, "view", $$"""{"path":"/{{i % 5}}"}""");
            scan.Add($"f{i}", Day.AddSeconds(i), "buy", null);
        }
        var sums = scan.ToSums(limit: 2);
        Assert.Equal((10, 10), (sums.All[0].Fingerprints, sums.All[1].Fingerprints));
        Assert.Equal(["/0 2", "/1 2"], sums.Values.Select(one => $"{one.Value} {one.Steps[1].Fingerprints}"));
        Assert.Equal(6, sums.Others![0].Fingerprints);
        Assert.Equal(TimeSpan.FromSeconds(5.5), sums.Others[1].SinceFirst); // of 2 3 4 7 8 9
        Assert.Equal(20, scan.Times);
    }

    [Fact]
    public void A_fingerprint_with_many_events_needs_no_more_memory()
    {
        var steps = FunnelSteps.Parse("view,buy,sell", Known)!;
        var scan = new FunnelScan(new(steps, TimeSpan.FromDays(1), Day, Day.AddDays(1)), valuesMax: 3);
        for (var i = 0; i < 1_000; i++) scan.Add("f", Day, i % 2 == 0 ? "view" : "buy", null);
        Assert.InRange(Allocations.Of(() =>
        {
            for (var i = 0; i < 1_000_000; i++) scan.Add("f", Day, i % 2 == 0 ? "view" : "buy", null);
        }), 0, 1_000);
        Assert.Equal([1, 1, 0], scan.ToSums(1).All.Select(sum => sum.Fingerprints));
    }

    [Theory]
    [InlineData("view,buy", "view| buy|")]
    [InlineData("view[path=/pricing],buy", "view|path=/pricing buy|")]
    [InlineData(@"view[path=/a=b[1\],plan=pro],view", "view|path=/a=b[1];plan=pro view|")]
    [InlineData(@"a\,b\[\]\\[x\=y=\]]", @"a,b[]\|x=y=]")]
    [InlineData("view[browser=Chrome,$os=iOS]", "view|$browser=Chrome;$os=iOS")]
    [InlineData(" ☕é [é= ]", " ☕é |é= ")]
    public void Steps_are_read_as_they_are_meant(string text, string expected) =>
        Assert.Equal(expected, string.Join(' ', FunnelSteps.Parse(text, Known)!.Select(step => step.Action + "|"
            + string.Join(';', step.Filters.Select(filter => $"{filter.Dimension}={filter.Value}")))));

    [Theory]
    [InlineData("")]
    [InlineData(",")]
    [InlineData("view,")]
    [InlineData(",view")]
    [InlineData("view,,buy")]
    [InlineData("view]")]
    [InlineData("view[")]
    [InlineData("view[]")]
    [InlineData("view[path]")]
    [InlineData("view[path=]")]
    [InlineData("view[=x]")]
    [InlineData("view[path=x")]
    [InlineData("view[path=x,]")]
    [InlineData("view[path=x][plan=y]")]
    [InlineData("view[path=x]buy")]
    [InlineData("[path=x]")]
    [InlineData("view\\")]
    [InlineData("view[path=\\")]
    public void Steps_that_cannot_be_read_are_none(string text) => Assert.Null(FunnelSteps.Parse(text, Known));

    [Fact]
    public void A_filter_is_cut_as_values_are() =>
        Assert.Equal(new DimensionValue("path", new('é', 128)),
            FunnelSteps.Parse($"view[path={new string('é', 200)}],buy", Known)![0].Filters[0]);
}
