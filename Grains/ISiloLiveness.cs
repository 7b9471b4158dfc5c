namespace Tally.Grains;

/// <summary>
/// Whether this silo may still answer for its grains from memory. A silo that was stopped and wakes, or that was cut
/// off, may have been declared dead meanwhile, and its grains may live on elsewhere with newer events.
/// </summary>
public interface ISiloLiveness
{
    /// <summary>
    /// True where no other silo can have taken over a grain of this one before the call began. False where that
    /// cannot be proven now: then ask again later, or another silo.
    /// </summary>
    ValueTask<bool> Prove();
}
