using CsCheck;
using Tally.Grains;

namespace Tally.Tests.Pure;

public sealed class Days
{
    // Near and distant days, in any order, around the edges of words and of DateTime's range.
    private static readonly Gen<int> Day = Gen.OneOf(Gen.Int[739_000, 739_200], Gen.Int[738_000, 740_000],
        Gen.Const(0), Gen.Const(DateOnly.MaxValue.DayNumber));

    [Fact]
    public void A_set_of_days_holds_what_a_hash_set_holds() => Day.Array[0, 60].Sample(days =>
    {
        var set = new DaySet();
        var expected = new HashSet<int>();
        foreach (var day in days)
        {
            Assert.Equal(expected.Contains(day), set.Contains(day));
            set.Add(day);
            expected.Add(day);
            Assert.Equal(expected.Count, set.Count);
        }
        foreach (var day in days.SelectMany(day => new[] { day - 64, day - 1, day, day + 1, day + 64 })
            .Where(day => day >= 0))
            Assert.Equal(expected.Contains(day), set.Contains(day));
    });

    [Fact]
    public void The_order_of_days_does_not_show() => Day.Array[0, 20].Sample(days =>
    {
        Assert.True(SetOf(days).SameAs(SetOf(days.Reverse())));
        Assert.True(SetOf(days).SameAs(SetOf(days.Concat(days))));
    });

    [Fact]
    public void Two_sets_are_the_same_only_with_the_same_days() =>
        Gen.Select(Day.Array[0, 4], Day.Array[0, 4]).Sample((a, b) =>
            Assert.Equal(a.ToHashSet().SetEquals(b), SetOf(a).SameAs(SetOf(b))));

    [Fact]
    public void A_copy_is_independent() => Gen.Select(Day.Array[0, 10], Day).Sample((days, more) =>
    {
        var original = SetOf(days);
        var copy = original.Copy();
        original.Add(more);
        Assert.True(copy.SameAs(SetOf(days)));
    });

    private static DaySet SetOf(IEnumerable<int> days)
    {
        var set = new DaySet();
        foreach (var day in days) set.Add(day);
        return set;
    }
}
