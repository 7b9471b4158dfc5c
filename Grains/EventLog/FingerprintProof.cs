namespace Tally.Grains.EventLog;

/// <summary>
/// One fingerprint's part of a proof: what was pruned of it, its snapshots, and then its events by sequence.
/// </summary>
/// <param name="report">Told each difference, in one line.</param>
internal sealed class FingerprintProof(string fingerprint, Calendar calendar, Action<string> report)
{
    private readonly List<FingerprintState> snapshots = [];

    /// <summary>The fold up to here.</summary>
    public FingerprintState State { get; private set; } = new();

    /// <summary>What the fold began with.</summary>
    public long PrunedEvents { get; private set; }

    public void BeginWithPruned(FingerprintState pruned)
    {
        if (pruned.Total != pruned.Sequence)
            report($"pruned events of '{fingerprint}' are {pruned.Total} up to sequence {pruned.Sequence}");
        (State, PrunedEvents) = (pruned, pruned.Total);
    }

    public void Add(FingerprintState snapshot)
    {
        snapshots.Add(snapshot);
        Compare(snapshot);
    }

    /// <returns>The event as it was decided, for the rollups; null where it does not fit.</returns>
    public DecidedEvent? Fold(RecordedEvent recorded)
    {
        if (recorded.Sequence != State.Sequence + 1)
            report($"fingerprint '{fingerprint}': sequence {recorded.Sequence} follows {State.Sequence}");
        if (recorded.Sequence <= State.Sequence) return null;
        // The same decision as the grain's: a pure function of the state before.
        var decided = new Decisions(fingerprint, State, int.MaxValue, calendar).Next(recorded.Event);
        State.Apply(recorded, calendar);
        foreach (var snapshot in snapshots) Compare(snapshot);
        return decided;
    }

    /// <summary>Its last event was folded.</summary>
    public void End()
    {
        foreach (var snapshot in snapshots)
            if (snapshot.Sequence > State.Sequence)
                report($"snapshot of '{fingerprint}' is at sequence {snapshot.Sequence}, its log ends "
                    + $"at {State.Sequence}");
    }

    private void Compare(FingerprintState snapshot)
    {
        if (snapshot.Sequence == State.Sequence && !snapshot.SameAs(State))
            report($"snapshot of '{fingerprint}' at sequence {State.Sequence} is not the fold of its events");
    }
}
