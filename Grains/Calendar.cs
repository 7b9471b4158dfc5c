namespace Tally.Grains;

/// <summary>
/// Days and hours of one time zone. A day begins when the zone's clocks first show its date or a later one, and ends
/// when the next one begins. So days follow each other without a gap, also if midnight does not exist or comes twice.
/// All of it falls on whole minutes. Allocates nothing once it is made.
/// </summary>
public sealed class Calendar
{
    public static readonly Calendar Utc = new(TimeZoneInfo.Utc);

    // No zone is further from UTC.
    private const long OffsetMax = 14 * TimeSpan.TicksPerHour;

    // Whose starts are kept once they are found: 290 KB.
    private static readonly int KeptFirst = new DateOnly(2000, 1, 1).DayNumber;
    private static readonly int KeptEnd = new DateOnly(2100, 1, 1).DayNumber;

    private readonly TimeZoneInfo zone;
    private readonly long[]? starts; // UTC ticks, 0 if not found yet; null for UTC

    private Calendar(TimeZoneInfo zone)
    {
        this.zone = zone;
        if (zone.Id != TimeZoneInfo.Utc.Id) starts = new long[KeptEnd - KeptFirst];
    }

    /// <summary>The zone's name in the IANA database.</summary>
    public string Name => zone.Id;

    /// <summary>The calendar of a zone; null if there is none with this name.</summary>
    /// <param name="name">As in the IANA database, such as Europe/Berlin.</param>
    public static Calendar? Find(string name)
    {
        if (name == Utc.Name) return Utc;
        // A name is also a path below the folder of all zones.
        if (name.Length is 0 or > 64 || !char.IsAsciiLetterUpper(name[0])
            || !Array.TrueForAll(name.Split('/'), IsPartOfName)) return null;
        return TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone) && zone.Id == name ? new(zone) : null;
    }

    private static bool IsPartOfName(string part) =>
        part.Length > 0 && part.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '+');

    public DateOnly DayOf(DateTime utc) => starts is null ? DateOnly.FromDateTime(utc) : FindDay(utc);

    private DateOnly FindDay(DateTime utc)
    {
        var day = (int)(utc.Ticks / TimeSpan.TicksPerDay); // there or beside it
        while (day < DateOnly.MaxValue.DayNumber && StartOf(day + 1) <= utc.Ticks) day++;
        while (StartOf(day) > utc.Ticks) day--;
        return DateOnly.FromDayNumber(day);
    }

    /// <summary>The time on the zone's clocks.</summary>
    public DateTime OnClocks(DateTime utc) => new(utc.Ticks + (starts is null ? 0 : OffsetAt(utc.Ticks)));

    /// <summary>UTC: the day's first moment. If the zone skipped the day, it has none, and is the next one's.</summary>
    public DateTime StartOf(DateOnly day) => new(StartOf(day.DayNumber), DateTimeKind.Utc);

    /// <summary>
    /// UTC: the start of the hour on the zone's clocks. When they are set by half an hour, the hour is cut there.
    /// </summary>
    public DateTime HourOf(DateTime utc)
    {
        var time = Floor(utc.Ticks, TimeSpan.TicksPerMinute);
        if (starts is null) return new(Floor(time, TimeSpan.TicksPerHour), DateTimeKind.Utc);
        var offset = OffsetAt(time);
        var hour = Math.Max(0, Floor(time + offset, TimeSpan.TicksPerHour) - offset);
        if ((offset - OffsetAt(hour)) % TimeSpan.TicksPerHour != 0) hour = FindChange(hour, time);
        return new(Math.Max(hour, StartOf(DayOf(utc).DayNumber)), DateTimeKind.Utc);
    }

    /// <summary>UTC: the start of the next hour.</summary>
    public DateTime NextHour(DateTime utc)
    {
        var hour = HourOf(utc);
        var next = HourOf(hour.AddHours(1));
        for (DateTime before; (before = HourOf(next.AddMinutes(-1))) > hour;) next = before;
        return next;
    }

    /// <summary>
    /// UTC: when the zone's clocks showed the same time, days before. The start of a day has that of the other day.
    /// </summary>
    public DateTime DaysBefore(DateTime utc, int days)
    {
        var day = DayOf(utc);
        if (StartOf(day) == utc) return StartOf(day.AddDays(-days));
        var before = Math.Max(0, utc.Ticks - days * TimeSpan.TicksPerDay);
        if (starts is not null) before = Math.Max(0, before + OffsetAt(utc.Ticks) - OffsetAt(before));
        return new(before, DateTimeKind.Utc);
    }

    private long StartOf(int day)
    {
        if (starts is null) return day * TimeSpan.TicksPerDay;
        if (day < KeptFirst || day >= KeptEnd) return FindStart(day);
        ref var start = ref starts[day - KeptFirst];
        return start != 0 ? start : start = FindStart(day);
    }

    private long FindStart(int day)
    {
        if (day == 0) return 0;
        var midnight = day * TimeSpan.TicksPerDay;
        var (before, after) = (OffsetAt(midnight - OffsetMax), OffsetAt(midnight + OffsetMax));
        if (before == after) return midnight - before;
        var change = FindChange(midnight - OffsetMax, midnight + OffsetMax);
        return midnight - before < change ? midnight - before : Math.Max(change, midnight - after);
    }

    // The first whole minute with the offset that is there at the end.
    private long FindChange(long before, long end)
    {
        var offset = OffsetAt(end);
        for (var (low, high) = (before / TimeSpan.TicksPerMinute, end / TimeSpan.TicksPerMinute); ;)
        {
            if (high - low <= 1) return high * TimeSpan.TicksPerMinute;
            var middle = (low + high) / 2;
            if (OffsetAt(middle * TimeSpan.TicksPerMinute) == offset) high = middle;
            else low = middle;
        }
    }

    // Whole minutes.
    private long OffsetAt(long utc) => zone.GetUtcOffset(new DateTime(utc, DateTimeKind.Utc)).Ticks;

    private static long Floor(long ticks, long step) => ticks - (ticks % step + step) % step;
}
