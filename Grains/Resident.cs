namespace Tally.Grains;

/// <summary>
/// One fingerprint's place among those in memory. A newcomer, which has no activation yet, is held by it.
/// </summary>
/// <param name="residents">Those that it is among.</param>
/// <param name="grain">The activation that holds the fingerprint; null for a newcomer.</param>
internal sealed class Resident(ResidentFingerprints residents, IGrainContext? grain = null) : IFingerprintHolder
{
    private static readonly DeactivationReason MadeRoom =
        new(DeactivationReasonCode.ApplicationRequested, "Others need its memory.");

    private volatile IGrainContext? grain = grain;
    private volatile Fingerprint? here;
    private volatile bool used;
    private Task? ending; // of a newcomer

    /// <summary>By <see cref="Environment.TickCount64"/>.</summary>
    public long EnteredAt { get; } = Environment.TickCount64;

    /// <summary>Null until it has loaded, and when it has left.</summary>
    public Fingerprint? Here => here;

    /// <summary>The fingerprint, if it has no activation.</summary>
    public Fingerprint? Newcomer => grain is null ? here : null;

    /// <summary>The fingerprint, if it has an activation.</summary>
    public Fingerprint? Joined => grain is null ? null : here;

    public void Open(Fingerprint loaded) => here = loaded;

    /// <summary>Gives a newcomer to its activation; false where it ends.</summary>
    public bool TryJoin(IGrainContext joining, IFingerprintHolder holder)
    {
        if (here?.TryMove(holder) != true) return false;
        grain = joining;
        return true;
    }

    /// <summary>It was asked for.</summary>
    public void Use() => used = true;

    public bool TakeSecondChance()
    {
        if (!used || HasLeft) return false;
        used = false;
        return true;
    }

    /// <summary>It leaves when its requests are done; those that come meanwhile go to its next activation.</summary>
    public void Evict()
    {
        if (grain is { } activation)
            // Later: this thread may hold the lock of the activation that enters, while that one evicts another, too.
            Task.Run(() => activation.Deactivate(MadeRoom));
        else here?.End();
    }

    /// <summary>It has left: its place is kept, its memory is not.</summary>
    public void Leave() => (here, grain) = (null, null);

    /// <summary>Ends a newcomer that takes no more calls. Completes when all that it took is recorded.</summary>
    public Task End()
    {
        // Not at once: who calls may hold the fingerprint's lock.
        lock (this) return ending ??= Task.Run(Finish);
    }

    private bool HasLeft => grain is null && here is null;

    private async Task Finish()
    {
        if (here is not { } ended) return;
        await ended.Close();
        residents.Leave(ended.Name, this);
    }

    // What a newcomer asks of it. It was used once, when it came.
    void IFingerprintHolder.Use()
    {
    }

    void IFingerprintHolder.Deactivate() => End();

    // Snapshots are its activation's: a newcomer has too few events for one.
    void IFingerprintHolder.Advanced(long sequence)
    {
    }

    Task IFingerprintHolder.Save() => Task.CompletedTask;

    Task IFingerprintHolder.Leave() => End();
}
