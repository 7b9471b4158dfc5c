using Tally.Silo.Storage;

namespace Tally.Silo.Http.Verifications;

/// <summary>Proofs that counters are the fold of the log.</summary>
/// <param name="Running">The one that runs; there is at most one in the whole cluster.</param>
/// <param name="LastHeld">The newest one that found no difference.</param>
/// <param name="Ended">The newest of the others, newest first.</param>
public sealed record VerificationsAnswer(
    Verification? Running, Verification? LastHeld, IReadOnlyList<Verification> Ended)
{
    internal static VerificationsAnswer From(IReadOnlyList<StoredVerification> stored, DateTime now)
    {
        Verification[] all = [.. stored.Select(one => Verification.From(one, now))];
        return new(all.FirstOrDefault(one => one.State == Verification.RunningState),
            all.FirstOrDefault(one => one.State == Verification.HeldState),
            [.. all.Where(one => one.State != Verification.RunningState).Take(Verifier.KeptMax)]);
    }
}

/// <param name="Id">Later ones have higher numbers.</param>
/// <param name="State">running; held; differs; or stopped, before its end.</param>
/// <param name="Silo">The name of the silo that ran it.</param>
/// <param name="Begun">UTC. It is about what was stored when it began to read, some milliseconds later.</param>
/// <param name="Ended">UTC; absent while it runs.</param>
/// <param name="Progress">The part of the log that was read, from 0 to 1.</param>
/// <param name="Events">Read so far.</param>
/// <param name="Fingerprints">Read so far.</param>
/// <param name="Differences">How many were found, once it has ended.</param>
/// <param name="Found">The first of them, as text.</param>
/// <param name="Reason">Why it was stopped: silo_stopped, silo_died, unavailable (the database did not answer),
/// too_many_rollups (they would not fit into memory: use app verify) or failed (the silo's log says why).</param>
public sealed record Verification(long Id, string State, string Silo, DateTime Begun, DateTime? Ended, double Progress,
    long Events, long Fingerprints, long? Differences, IReadOnlyList<string>? Found, string? Reason)
{
    internal const string RunningState = "running";
    internal const string HeldState = "held";

    internal static Verification From(StoredVerification stored, DateTime now)
    {
        var isLost = stored.Ended is null && stored.Seen < now - Verifier.SilenceMax;
        var state = stored switch
        {
            { Ended: null } => isLost ? "stopped" : RunningState,
            { Differences: null } => "stopped",
            { Differences: 0 } => HeldState,
            _ => "differs",
        };
        return new(stored.Id, state, stored.Silo, stored.Begun, isLost ? stored.Seen : stored.Ended,
            Math.Round(stored.Progress, 4), stored.Events, stored.Fingerprints, stored.Differences,
            stored.Found.Count > 0 ? stored.Found : null, isLost ? Verifier.SiloDied : stored.Reason);
    }
}
