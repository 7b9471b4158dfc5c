using System.Data.Common;
using System.Globalization;
using System.Text.Json;
using Tally.Grains.EventLog;
using Tally.Grains.Rules;

namespace Tally.Silo.Storage;

/// <summary>A place in the feed of all events.</summary>
/// <param name="Row">A row of the feed.</param>
/// <param name="Sequence">The sequence of its last event that is known; the highest number for all of them.</param>
public readonly record struct FeedPosition(long Row, long Sequence)
{
    private const char Separator = '-';

    /// <summary>Behind all that there is.</summary>
    public static FeedPosition End { get; } = new(long.MaxValue, long.MaxValue);

    /// <summary>Behind a row.</summary>
    public static FeedPosition After(long row) => new(row, long.MaxValue);

    /// <returns>Null if the text names no place.</returns>
    public static FeedPosition? Parse(string text)
    {
        var parts = text.Split(Separator, 3);
        return parts.Length > 2 || !TryParse(parts[0], out var row) ? null
            : parts.Length == 1 ? After(row)
            : TryParse(parts[1], out var sequence) ? new(row, sequence)
            : null;
    }

    private static bool TryParse(string text, out long number) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    public bool IsBehind(FeedPosition other) => (Row, Sequence).CompareTo((other.Row, other.Sequence)) > 0;

    public override string ToString() => Sequence == long.MaxValue
        ? Row.ToString(CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"{Row}{Separator}{Sequence}");
}

/// <summary>
/// What the feed tells: an event, a firing of the clock, that there were events that it does not tell, or nothing.
/// </summary>
/// <param name="Row">The feed's row. What is nothing was told once, and has left the log.</param>
/// <param name="Skipped">How many events it does not tell.</param>
/// <param name="Event">Null if it is none.</param>
public sealed record FeedNews(long Row, long Skipped, RecordedEvent? Event)
{
    /// <summary>The names and versions of the rules that the event made fire.</summary>
    public IReadOnlyList<(string Rule, int Version)> Fired { get; init; } = [];

    /// <summary>What the clock made fire, where it is neither events nor nothing.</summary>
    public ClockFiring? Clock { get; init; }

    public FeedPosition Position => Event is null ? FeedPosition.After(Row) : new(Row, Event.Sequence);
}

/// <summary>A rule fired because something did not happen.</summary>
/// <param name="Event">Of the rule: what did happen, or for a silence what did not.</param>
public sealed record ClockFiring(
    string Fingerprint, long Sequence, DateTime Occurred, string Rule, int Version, EventPattern Event);

/// <summary>
/// The feed of all fingerprints' events. Merges of visits tell it what is new, while somebody watches.
/// </summary>
public abstract partial class SqlStorage
{
    private readonly string renewFeed = scripts["renew_feed"];
    private readonly string readFeed = scripts["read_feed"];
    private readonly string readRecentEvents = scripts["read_recent_events"];

    /// <summary>
    /// For the next two minutes the feed gets all events that are recorded from now on. What it has is kept for as
    /// long; if nobody has renewed it meanwhile, it begins anew.
    /// </summary>
    /// <param name="eventsMax">So many of each merge.</param>
    /// <returns>The feed's newest row; null while another silo merges, and then nothing has changed.</returns>
    public async Task<long?> RenewFeed(int eventsMax) =>
        await Merge(renewFeed, Parameter("events_max", eventsMax)) is > 0 and var row ? row : null;

    /// <summary>What the feed tells after a place, and up to another, in its order.</summary>
    /// <param name="limit">So many, or one more.</param>
    /// <param name="bytesMax">Ends with the event with which their properties exceed this.</param>
    /// <returns>Null if the feed does not have the place any more: something may be missing.</returns>
    public async Task<IReadOnlyList<FeedNews>?> ReadFeed(
        FeedPosition after, FeedPosition upTo, int limit, int bytesMax)
    {
        var bytes = 0L;
        // The place's own row comes first, perhaps without an event.
        var news = await Query(readFeed, ReadFeedRow,
            [
                Parameter("row", after.Row), Parameter("sequence", after.Sequence),
                Parameter("last_row", upTo.Row), Parameter("last_sequence", upTo.Sequence),
                Parameter("limit", limit + 1),
            ],
            Open, CancellationToken.None, isLast: row => (bytes += row.Event?.PropertiesBytes ?? 0) > bytesMax);
        if (news.Count == 0 || news[0].Row != after.Row) return null;
        if (news[0].Event is null) news.RemoveAt(0);
        return news;
    }

    /// <summary>
    /// The newest events of the fingerprints that were seen last, newest first: what a reader of the feed finds at its
    /// beginning. It sees only fingerprints whose visits are merged.
    /// </summary>
    /// <param name="from">Reads visits from this day on.</param>
    /// <param name="limit">So many fingerprints, of each so many events, and in all.</param>
    public async Task<IReadOnlyList<RecordedEvent>> ReadRecentEvents(
        DateOnly from, string? product, string? action, int limit, CancellationToken cancellation) =>
        await Scan(readRecentEvents, ReadEvent, cancellation, Parameter("from", from), Optional("product", product),
            Optional("action", action), Parameter("limit", limit));

    private FeedNews ReadFeedRow(DbDataReader row) =>
        new(row.GetInt64(8), row.GetInt64(9), row.IsDBNull(0) ? null : ReadEvent(row))
        {
            Fired = row.IsDBNull(10) ? [] : [.. JsonSerializer.Deserialize<JsonElement[][]>(row.GetString(10))!
                .Select(rule => (rule[0].GetString()!, rule[1].GetInt32()))],
            Clock = row.IsDBNull(11) ? null : new(row.GetString(11), row.GetInt64(12), ReadTime(row, 13),
                row.GetString(14), row.GetInt32(15), RuleJson.Parse(row.GetString(16)).Event),
        };
}
