namespace Tally.Client;

/// <summary>
/// Which event is dropped when as many wait as may. Either way <see cref="TallyClient.Track(TallyEvent)"/> returns at
/// once, and <see cref="TallyFigures.Dropped"/> counts.
/// </summary>
public enum WhenFull
{
    /// <summary>The one being tracked: Track returns false.</summary>
    DropNewest,

    /// <summary>The one that has waited longest, other than those under way: Track returns true.</summary>
    DropOldest,
}
