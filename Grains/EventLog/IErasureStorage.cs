using Tally.Contracts;

namespace Tally.Grains.EventLog;

/// <summary>How a fingerprint leaves the log, and what then is left of it. Errors as <see cref="IEventLogStorage"/>'s.</summary>
public interface IErasureStorage
{
    /// <summary>
    /// Removes all that is kept of a fingerprint, in one durable transaction which no append and no snapshot of it passes
    /// unseen. What its events have given the rollups stays there, and is noted without a name.
    /// </summary>
    /// <param name="fingerprint">Whose.</param>
    /// <param name="head">Its highest sequence as the caller knows it; 0 for none.</param>
    /// <param name="suppress">Whether to keep, as a keyed hash, that its events are to be refused.</param>
    /// <param name="pageEvents">Events that are folded at once.</param>
    /// <returns>What was removed, or null where the log's head is another: then nothing.</returns>
    Task<Removed?> Erase(string fingerprint, long head, bool suppress, int pageEvents);

    /// <summary>What a fingerprint's pruned events add up to; null where none was pruned.</summary>
    Task<FingerprintState?> ReadPruned(string fingerprint);
}

/// <summary>What is left of a fingerprint without events.</summary>
/// <param name="Pruned">What they added up to, where they were pruned.</param>
/// <param name="Suppressed">It was erased with the wish that its events be refused.</param>
public sealed record Remains(FingerprintState? Pruned, bool Suppressed)
{
    public static readonly Remains None = new(null, Suppressed: false);
}
