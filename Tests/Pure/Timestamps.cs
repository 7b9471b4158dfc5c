using System.Globalization;
using CsCheck;
using Tally.Silo.Http;

namespace Tally.Tests.Pure;

public sealed class Timestamps
{
    private static readonly DateTimeOffset Moment = new(2026, 11, 27, 19, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("2026-11-27T19:00:00Z")]
    [InlineData("2026-11-27t19:00:00z")]
    [InlineData("2026-11-27 19:00:00Z")]
    [InlineData("2026-11-27T19:00Z")]
    [InlineData("2026-11-27T19:00:00+0000")]
    [InlineData("2026-11-27 19:00:00 +0000")]
    [InlineData("2026-11-27 19:00:00 UTC")]
    [InlineData("2026-11-27T19:00:00,000000000GMT")]
    [InlineData("2026-11-27T22:00:00+03:00")]
    [InlineData("2026-11-27T22:00:00 03:00")] // from a form whose plus was not encoded
    [InlineData("2026-11-28T00:45:00 0545")]
    [InlineData("2026-11-27 19:00:00  0000")]
    [InlineData("2026-11-27T11:00:00-0800")]
    [InlineData("1795806000")]
    [InlineData("1795806000.0")]
    [InlineData("1.795806E9")] // Java's Double.toString
    [InlineData("1795806000000")]
    public void These_are_one_moment(string text)
    {
        Assert.Null(Timestamp.Parse(text, out var time));
        Assert.Equal(Moment, time);
    }

    [Theory]
    [InlineData("2026-11-27T19:00:00", true)]
    [InlineData("2026-11-27 19:00", true)]
    [InlineData("2026-11-27", true)]
    [InlineData("2026-11-27T19:00:00.123", true)]
    [InlineData("", false)]
    [InlineData("20261127", false)]
    [InlineData("2026", false)]
    [InlineData("yesterday", false)]
    [InlineData("2026-11-27T19:00:00X", false)]
    [InlineData("2026-11-27T19:00:00 3:00", false)]
    [InlineData("2026-11-27T19:00:00+15:00", false)]
    [InlineData("2026-11-27T19:00:00+01:60", false)]
    [InlineData("2026-11-27T19:00:00Z\n", false)]
    [InlineData("2026-02-30T19:00:00Z", false)]
    [InlineData("0001-01-01T00:00:00+01:00", false)]
    [InlineData("9999-12-31T23:59:59-01:00", false)]
    [InlineData("1e99", false)]
    [InlineData("NaN", false)]
    [InlineData("-62135596801", false)] // before the year 1
    [InlineData("-99999999999", false)]
    [InlineData("-99999999999999", false)]
    [InlineData("99999999999999999999999999999999", false)]
    [InlineData("1,795,806,000", false)]
    public void These_are_none(string text, bool lacksZone)
    {
        var refusal = Timestamp.Parse(text, out _);
        Assert.NotNull(refusal);
        Assert.Equal("invalid_timestamp", refusal.Reason);
        Assert.Equal(lacksZone, refusal.Detail.Contains("zone is missing", StringComparison.Ordinal));
    }

    [Fact]
    public void What_programs_write_is_read_back() =>
        Gen.Select(Gen.DateTimeOffset, Gen.Bool).Sample((time, iso) =>
            Timestamp.TryParse(
                time.ToString(iso ? "O" : "yyyy-MM-dd HH:mm:ss.fffffffzzz", CultureInfo.InvariantCulture), out var read)
                ? read == time
                : time.UtcTicks < TimeSpan.TicksPerDay
                    || time.UtcTicks > DateTime.MaxValue.Ticks - TimeSpan.TicksPerDay);

    [Fact]
    public void Nothing_makes_it_throw() =>
        Gen.OneOf(Gen.String,
            Gen.Char["0123456789-:TZ+. ,eE"].Array[0, 40].Select(characters => new string(characters)))
            .Sample(text => { Assert.Equal(Timestamp.Parse(text, out _) is null, Timestamp.TryParse(text, out _)); });
}
