using CsCheck;
using Tally.Grains;
using Tally.Tests.Harness;

namespace Tally.Tests.Pure;

/// <summary>Days and hours of time zones, compared with what the zone's clocks show.</summary>
public sealed class Calendars
{
    // Beside the usual: a midnight that does not exist (São Paulo), comes twice (Havana), or twice a minute apart
    // (St. John's until 2011); a day that does not exist (Apia in 2011, Kwajalein in 1993); the clocks set by half an
    // hour (Lord Howe, Pyongyang) or by a quarter (Kathmandu in 1986).
    private static readonly (string Zone, string Around)[] Changes =
    [
        ("UTC", "2026-03-29"), ("Europe/Berlin", "2026-03-29"), ("Europe/Berlin", "2026-10-25"),
        ("America/New_York", "2026-03-08"), ("America/New_York", "2026-11-01"), ("Asia/Kathmandu", "2026-03-29"),
        ("Asia/Kathmandu", "1986-01-01"), ("Australia/Lord_Howe", "2026-04-05"), ("Australia/Lord_Howe", "2026-10-04"),
        ("America/Sao_Paulo", "2017-10-15"), ("America/Sao_Paulo", "2018-02-18"), ("America/Havana", "2026-03-08"),
        ("America/Havana", "2026-11-01"), ("America/St_Johns", "2010-03-14"), ("America/St_Johns", "2010-11-07"),
        ("Pacific/Apia", "2011-12-30"), ("Pacific/Kwajalein", "1993-08-21"), ("Asia/Pyongyang", "2015-08-15"),
        ("Asia/Pyongyang", "2018-05-05"), ("America/Toronto", "1919-03-31"), ("Europe/Amsterdam", "1937-07-01"),
        ("Pacific/Kiritimati", "2026-01-01"), ("Etc/GMT+12", "2026-01-01"), ("Europe/Berlin", "2077-03-28"),
    ];

    private static readonly Gen<Calendar> AnyZone =
        Gen.OneOf([.. Changes.Select(change => Gen.Const(Calendar.Find(change.Zone)!))]);

    public static TheoryData<string, string> AllChanges => new(Changes);

    // A day is what the clocks show, but never one before it again.
    [Theory, MemberData(nameof(AllChanges))]
    public void Every_minute_around_a_change_is_on_the_day_that_the_clocks_show(string name, string around)
    {
        var (calendar, shown) = (Calendar.Find(name)!, DateOnly.MinValue);
        foreach (var minute in Around(around))
        {
            var now = DateOnly.FromDateTime(Clock(name, minute));
            var isNew = now > shown;
            if (isNew) shown = now;
            Assert.Equal(shown, calendar.DayOf(minute));
            Assert.Equal(shown, calendar.DayOf(minute.AddMinutes(1).AddTicks(-1)));
            if (isNew) Assert.True(calendar.StartOf(shown) <= minute);
            Assert.Equal(calendar.DayOf(minute.AddMinutes(-1)) != shown, calendar.StartOf(shown) == minute);
        }
    }

    [Theory, MemberData(nameof(AllChanges))]
    public void Every_minute_around_a_change_is_in_an_hour_of_the_clocks(string name, string around)
    {
        var calendar = Calendar.Find(name)!;
        foreach (var minute in Around(around))
        {
            var (hour, next) = (calendar.HourOf(minute), calendar.NextHour(minute));
            Assert.Equal(hour, calendar.HourOf(minute.AddSeconds(59)));
            Assert.InRange(minute, hour, next.AddTicks(-1));
            Assert.InRange(next - hour, TimeSpan.FromMinutes(1), TimeSpan.FromHours(1));
            Assert.Equal((hour, next), (calendar.HourOf(hour), calendar.HourOf(next)));
            Assert.Equal(calendar.DayOf(hour), calendar.DayOf(next.AddTicks(-1)));
            // The clocks were set by whole hours if they show another hour.
            Assert.True(Clock(name, hour).Minute <= Clock(name, minute).Minute, $"{minute:O}");
            Assert.True(Clock(name, minute).Minute > 0 || hour == minute, $"{minute:O}");
        }
    }

    [Theory]
    [InlineData("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z", 23)]
    [InlineData("Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00Z", 25)]
    [InlineData("America/New_York", "2026-11-01", "2026-11-01T04:00:00Z", 25)]
    [InlineData("Asia/Kathmandu", "2026-11-01", "2026-10-31T18:15:00Z", 24)]
    [InlineData("Australia/Lord_Howe", "2026-10-04", "2026-10-03T13:30:00Z", 23.5)]
    [InlineData("Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00:00Z", 24.5)]
    [InlineData("America/Sao_Paulo", "2017-10-15", "2017-10-15T03:00:00Z", 23)]
    [InlineData("America/Havana", "2026-11-01", "2026-11-01T04:00:00Z", 25)]
    [InlineData("America/St_Johns", "2010-11-07", "2010-11-07T02:30:00Z", 25)]
    [InlineData("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z", 0)]
    [InlineData("UTC", "2026-03-29", "2026-03-29T00:00:00Z", 24)]
    public void A_day_has_its_start_and_length(string name, string day, string start, double hours)
    {
        var (calendar, date) = (Calendar.Find(name)!, DateOnly.ParseExact(day, "yyyy-MM-dd"));
        Assert.Equal(start, $"{calendar.StartOf(date):yyyy-MM-dd'T'HH:mm:ss'Z'}");
        Assert.Equal(hours, (calendar.StartOf(date.AddDays(1)) - calendar.StartOf(date)).TotalHours);
    }

    [Fact]
    public void Days_follow_each_other_from_the_first_to_the_last() =>
        Gen.Select(AnyZone, Gen.OneOf(Gen.Int[0, DateOnly.MaxValue.DayNumber - 1], Gen.Int[737_000, 745_000],
            Gen.Const(0), Gen.Const(DateOnly.MaxValue.DayNumber - 1))).Sample((calendar, number) =>
    {
        var day = DateOnly.FromDayNumber(number);
        var (start, end) = (calendar.StartOf(day), calendar.StartOf(day.AddDays(1)));
        Assert.Equal(0, start.Ticks % TimeSpan.TicksPerMinute);
        Assert.InRange(end - start, TimeSpan.Zero, TimeSpan.FromDays(2));
        if (end == start) return; // skipped
        Assert.Equal((day, day), (calendar.DayOf(start), calendar.DayOf(end.AddTicks(-1))));
        Assert.Equal(day.AddDays(1), calendar.DayOf(end));
        if (number > 0) Assert.True(calendar.DayOf(start.AddTicks(-1)) < day);
    });

    [Fact]
    public void The_ends_of_time_have_days_and_hours() => AnyZone.Sample(calendar =>
    {
        Assert.Equal(DateOnly.MinValue, calendar.DayOf(DateTime.MinValue));
        Assert.Equal(DateTime.MinValue, calendar.HourOf(DateTime.MinValue));
        Assert.InRange(calendar.DayOf(DateTime.MaxValue), DateOnly.MaxValue.AddDays(-1), DateOnly.MaxValue);
        Assert.InRange(calendar.HourOf(DateTime.MaxValue), DateTime.MaxValue.AddHours(-1), DateTime.MaxValue);
    });

    [Fact]
    public void Asking_for_a_day_allocates_nothing()
    {
        var start = new DateTime(2026, 3, 1, 0, 0, 0, DateTimeKind.Utc);
        foreach (var name in (string[])["UTC", "Europe/Berlin"])
        {
            var calendar = Calendar.Find(name)!;
            Assert.Equal(0, Allocations.Of(() =>
            {
                for (var minute = 0; minute < 100_000; minute++) calendar.DayOf(start.AddMinutes(minute));
            }));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("Europe")]
    [InlineData("europe/berlin")]
    [InlineData("Europe/Berlin ")]
    [InlineData("Europe/Nowhere")]
    [InlineData("Europe/../Europe/Berlin")]
    [InlineData("../Europe/Berlin")]
    [InlineData("/usr/share/zoneinfo/Europe/Berlin")]
    [InlineData("/etc/passwd")]
    [InlineData("localtime")]
    [InlineData("posix/Europe/Berlin")]
    [InlineData("right/Europe/Berlin")]
    [InlineData("W. Europe Standard Time")]
    [InlineData("+02:00")]
    [InlineData("Europe/Berlin\0")]
    [InlineData("Europe/Bérlin")]
    [InlineData("Europe//Berlin")]
    [InlineData("Etc/")]
    public void Other_names_are_no_time_zone(string name) => Assert.Null(Calendar.Find(name));

    private static IEnumerable<DateTime> Around(string day)
    {
        var first = DateTime.SpecifyKind(DateTime.ParseExact(day, "yyyy-MM-dd", null), DateTimeKind.Utc).AddDays(-3);
        return Enumerable.Range(0, 6 * 24 * 60).Select(i => first.AddMinutes(i));
    }

    private static DateTime Clock(string name, DateTime utc) =>
        TimeZoneInfo.ConvertTimeFromUtc(utc, TimeZoneInfo.FindSystemTimeZoneById(name));
}
