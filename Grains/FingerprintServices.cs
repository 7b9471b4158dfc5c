using Microsoft.Extensions.Logging;
using Tally.Contracts;
using Tally.Grains.EventLog;
using Tally.Grains.Placement;
using Tally.Grains.Rules;

namespace Tally.Grains;

/// <summary>
/// What all fingerprints of a silo share. One object, since each of a hundred thousand would else have a field for
/// each.
/// </summary>
public sealed record FingerprintServices(
    GroupCommit Log, History History, KnownFingerprints Known, Snapshots Snapshots, Erasures Erasures,
    ISiloLiveness Liveness, Ownership Ownership, ResidentFingerprints Residents, Calendar Calendar, RuleBook Rules,
    Limits Limits, ILogger<Fingerprint> Logger);

/// <summary>
/// What a fingerprint asks of what holds it: its activation, or its place in memory while it has none. On any thread.
/// All but <see cref="Leave"/> also under its lock: so none of them may block.
/// </summary>
internal interface IFingerprintHolder
{
    /// <summary>It was called.</summary>
    void Use();

    /// <summary>It is needed no more: the next call finds a new activation.</summary>
    void Deactivate();

    /// <summary>A run was folded; a snapshot may be due.</summary>
    void Advanced(long sequence);

    /// <summary>Writes the snapshot that its end would write, where one is due.</summary>
    Task Save();

    /// <summary>Its silo leaves, and it is closed. Completes when nothing of it has still to be written.</summary>
    Task Leave();
}
