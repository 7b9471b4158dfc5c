using Tally.Grains;

namespace Tally.Silo.Storage;

/// <summary>The time zone of days and hours. All silos on a database have the same.</summary>
public abstract partial class SqlStorage
{
    private readonly string keepTimeZone = scripts["keep_time_zone"];
    private readonly string readTimeZone = scripts["read_time_zone"];

    /// <summary>By which events are counted here.</summary>
    public Calendar Calendar { get; private set; } = Calendar.Utc;

    /// <summary>From now on, events are counted by a calendar, unless the database keeps another zone's.</summary>
    /// <returns>The name of the zone that the database keeps.</returns>
    public async Task<string> CountIn(Calendar calendar)
    {
        var kept = (await Query(keepTimeZone, row => row.GetString(0), Parameter("name", calendar.Name)))[0];
        if (kept == calendar.Name) Calendar = calendar;
        return kept;
    }

    // Without one nothing was served yet, and so nothing counted.
    private async Task<Calendar> ReadCalendar() =>
        (await Query(readTimeZone, row => row.GetString(0))) is not [var name] ? Calendar.Utc
        : Calendar.Find(name)
        ?? throw new StartupException($"The database counts the days of {name}, a time zone that is not known here.");
}
