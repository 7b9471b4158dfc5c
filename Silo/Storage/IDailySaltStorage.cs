using Tally.Grains.EventLog;

namespace Tally.Silo.Storage;

/// <param name="Day">UTC.</param>
/// <param name="Salt">Random bytes.</param>
public sealed record DailySalt(DateOnly Day, byte[] Salt);

/// <summary>One salt, shared by all silos on a database.</summary>
/// <remarks>Errors: <see cref="EventLogUnavailableException"/> where the database does not answer.</remarks>
public interface IDailySaltStorage
{
    /// <summary>
    /// The stored salt; where that is of a day before <paramref name="fresh"/>, or there is none, the fresh one, which
    /// overwrites it. Of several silos that come with fresh ones, all get the first one's.
    /// </summary>
    Task<DailySalt> TakeSalt(DailySalt fresh);

    /// <summary>Leaves no salt.</summary>
    Task DestroySalt();
}
