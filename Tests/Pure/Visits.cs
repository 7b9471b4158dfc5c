using CsCheck;
using Tally.Contracts;
using Tally.Grains;
using Tally.Grains.EventLog;
using Tally.Silo.Http.Visits;
using Tally.Silo.Storage;
using Tally.Tests.Harness;

namespace Tally.Tests.Pure;

/// <summary>The parts that visits are made of, and the places in their lists.</summary>
public sealed class Visits
{
    private static readonly Gen<int> Day = Gen.Int[739_000, 739_060];
    private static readonly string[] Fingerprints = ["a", "é", "😀", " ", "a/b%2F", new('x', 256)];

    [Fact]
    public void The_newest_days_are_counted_exactly_in_whatever_order_they_come() => Day.Array[0, 200].Sample(days =>
    {
        var counts = new DayCounts();
        foreach (var day in days) counts.Add(day);
        var expected = days.CountBy(day => day).OrderByDescending(pair => pair.Key).Take(Limits.ActivityDaysMax);
        Assert.Equal(expected.Select(pair => new DayView(DateOnly.FromDayNumber(pair.Key), pair.Value)),
            counts.ToView());

        var copy = counts.Copy();
        Assert.True(copy.SameAs(counts));
        counts.Add(739_061);
        Assert.False(copy.SameAs(counts));
    });

    [Fact]
    public void A_state_shows_each_day_of_its_events() => Day.Array[1, 80].Sample(days =>
    {
        var writer = new FingerprintWriter("a");
        writer.Fold(writer.Decide(days.Select(day => EventSamples.View(occurred: At(day)))));
        var view = writer.State.Copy().ToView("a");
        Assert.Equal(days.Distinct().Count(), view.DaysActive);
        Assert.Equal(days.CountBy(day => day).OrderByDescending(pair => pair.Key).Take(Limits.ActivityDaysMax)
            .Select(pair => new DayView(DateOnly.FromDayNumber(pair.Key), pair.Value)), view.Activity);
    });

    [Fact]
    public void A_delta_adds_up_to_its_events() =>
        Gen.Select(Gen.Int[0, 4], Gen.Int[0, 30], Day).Array[0, 300].Sample(some =>
    {
        var events = some.OrderBy(one => one.Item1).Select((one, i) => new RecordedEvent($"f{one.Item1}", i + 1,
            EventSamples.View(product: $"p{one.Item2 % 12}",
                occurred: At(one.Item3 % 3 + 739_000).AddTicks(one.Item2 * 10)))).ToList();
        var delta = VisitDelta.From(events, Calendar.Utc);
        var visits =
            Enumerable.Range(0, delta.Events.Count)
                .GroupBy(i => (delta.Fingerprints[i], delta.Products[i], delta.Firsts[i].Date))
            .Select(g => (g.Key, g.Sum(i => delta.Events[i]), g.Min(i => delta.Firsts[i]), g.Max(i => delta.Lasts[i])));
        var expected = events.GroupBy(e => (e.Fingerprint, e.Event.Product, e.Event.Occurred.Date))
            .Select(g => (g.Key, g.Count(), g.Min(e => e.Event.Occurred), g.Max(e => e.Event.Occurred)));
        Assert.Equal(expected.Order(), visits.Order());
        Assert.All(Enumerable.Range(0, delta.Events.Count),
            i => Assert.Equal(delta.Firsts[i].Date, delta.Lasts[i].Date));
    });

    [Fact]
    public void A_cursor_is_read_as_it_was_written_and_by_its_own_list_alone() =>
        Gen.Select(Gen.Enum<FingerprintOrder>(), Gen.Long[0, DateTime.MaxValue.Ticks],
            Gen.OneOf([.. Fingerprints.Select(Gen.Const)]))
            .Sample((order, value, fingerprint) =>
            {
                var limits = new Limits();
                var place = new FingerprintPlace(order, value, fingerprint);
                var text = FingerprintCursor.Encode(place);
                Assert.Equal(place, FingerprintCursor.Decode(text, order, limits));
                foreach (var other in Enum.GetValues<FingerprintOrder>().Where(other => other != order))
                    Assert.Null(FingerprintCursor.Decode(text, other, limits));
                Assert.Null(FingerprintCursor.Decode(text + "=", order, limits));
                Assert.Null(FingerprintCursor.Decode(" " + text, order, limits));
                Assert.Null(FingerprintCursor.Decode(text[..4], order, limits));
            });

    [Fact]
    public void Whatever_is_sent_as_a_cursor_is_a_place_or_none() =>
        Gen.OneOf(Gen.String[Gen.Char.AlphaNumeric, 0, 40], Gen.String).Sample(text =>
    {
        foreach (var order in Enum.GetValues<FingerprintOrder>())
            if (FingerprintCursor.Decode(text, order, new()) is { } place)
                Assert.Equal(text, FingerprintCursor.Encode(place));
    }, iter: 2_000);

    private static DateTime At(int day) => new(day * TimeSpan.TicksPerDay, DateTimeKind.Utc);
}
