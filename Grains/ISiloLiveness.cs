namespace Tally.Grains;

/// <summary>
/// Whether this silo may still answer for its fingerprints. A silo that was stopped and wakes, or that was cut off,
/// may have been declared dead meanwhile, or have missed that others joined; then its fingerprints may live on
/// elsewhere with newer events.
/// </summary>
public interface ISiloLiveness
{
    /// <summary>
    /// A version of the membership. Whatever this silo owned in it, no other silo has answered for before this call
    /// completed. Null where that cannot be proven now: then ask again later, or another silo.
    /// </summary>
    ValueTask<long?> Prove();

    /// <summary>From now on nothing is proven any more: others may take over at once.</summary>
    void Leave();
}
