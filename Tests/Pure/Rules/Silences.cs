using CsCheck;
using Tally.Grains.EventLog;
using Tally.Grains.Rules;

namespace Tally.Tests.Pure.Rules;

/// <summary>When nobody has done something for some time.</summary>
public sealed class Silences
{
    private static readonly DateTime Begin = new(2026, 3, 1, 12, 0, 30, DateTimeKind.Utc);

    [Fact]
    public void They_are_what_a_look_at_each_minute_finds() =>
        Gen.Select(Gen.Int[-5, 60].Array[0, 12], Gen.Int[1, 9], Gen.Int[0, 70]).Sample((events, length, until) =>
        {
            var first = RollupKey.MinuteOf(Begin);
            DateTime[] minutes = [.. events.Distinct().Order().Select(minute => first.AddMinutes(minute))];
            var now = Begin.AddMinutes(until);
            var found = Silence.FindAll(minutes, Begin, now, TimeSpan.FromMinutes(length)).ToList();

            // Silent is a whole minute that has so many whole ones before it, and no event in any of them.
            var seen = new List<DateTime>();
            for (var at = first; at.AddMinutes(length + 1) <= now; at = at.AddMinutes(1))
                if ((at == first || minutes.Contains(at))
                    && !minutes.Any(minute => minute > at && minute < at.AddMinutes(length + 1))) seen.Add(at);
            Assert.Equal(seen, found.Select(one => one.Since));
            Assert.All(found, one => Assert.Equal(one.Since.AddMinutes(length + 1), one.Due));
        });

    [Fact]
    public void Each_minute_has_a_number_of_its_own()
    {
        Assert.Equal(0, Silence.SequenceOf(DateTime.UnixEpoch));
        Assert.Equal(29_539_440, Silence.SequenceOf(new(2026, 3, 1, 12, 0, 0, DateTimeKind.Utc)));
    }
}
