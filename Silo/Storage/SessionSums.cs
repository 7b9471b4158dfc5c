namespace Tally.Silo.Storage;

/// <param name="Sessions">How many there were.</param>
/// <param name="Events">Their events.</param>
/// <param name="Bounces">Sessions of one event.</param>
/// <param name="MedianLength">The median of the times from their first event to their last; null if there are none.
/// </param>
/// <param name="EntryPages">The paths where most began, and their number. Empty for all paths beyond the limit.</param>
/// <param name="ExitPages">The same for where they ended.</param>
public sealed record SessionTotals(
    long Sessions, long Events, long Bounces, TimeSpan? MedianLength,
    IReadOnlyList<KeyValuePair<string, long>> EntryPages, IReadOnlyList<KeyValuePair<string, long>> ExitPages);

/// <summary>Adds sessions up.</summary>
/// <param name="pathsMax">Paths that are told apart. Others count as the empty one.</param>
internal sealed class SessionSums(int pathsMax)
{
    private readonly List<long> lengths = [];
    private readonly Dictionary<string, long> entries = [], exits = [];
    private long events, bounces;

    public int Sessions => lengths.Count;

    public void Add(Session session)
    {
        lengths.Add((session.End - session.Start).Ticks);
        events += session.Events;
        if (session.Events == 1) bounces++;
        Count(entries, session.EntryPath);
        Count(exits, session.ExitPath);
    }

    /// <param name="limit">Pages in each list, beside the empty one.</param>
    public SessionTotals ToTotals(int limit) =>
        new(lengths.Count, events, bounces, Medians.Find([.. lengths]), Top(entries, limit), Top(exits, limit));

    private void Count(Dictionary<string, long> pages, string? path)
    {
        if (path is null) return;
        if (!pages.ContainsKey(path) && pages.Count >= pathsMax) path = "";
        pages[path] = pages.GetValueOrDefault(path) + 1;
    }

    private static List<KeyValuePair<string, long>> Top(Dictionary<string, long> pages, int limit) =>
    [
        .. pages.Where(page => page.Key.Length > 0).OrderByDescending(page => page.Value)
            .ThenBy(page => page.Key, StringComparer.Ordinal).Take(limit),
        .. pages.Where(page => page.Key.Length == 0),
    ];
}
