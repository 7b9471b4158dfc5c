using Tally.Contracts;

namespace Tally.Grains;

/// <summary>
/// Finds the grains of fingerprints. <c>GetGrain</c> would look up type and interface anew each time, for 5 % of a
/// post.
/// </summary>
public sealed class FingerprintGrains(IGrainFactory grains)
{
    private GrainReference? pattern; // any fingerprint's will do

    private GrainReference Pattern =>
        pattern ??= (GrainReference)grains.GetGrain<IFingerprintGrain>(FingerprintKey.For("any"));

    public GrainId Id(string fingerprint) => GrainId.Create(Pattern.GrainId.Type, FingerprintKey.For(fingerprint));

    public IFingerprintGrain Get(string fingerprint) => Get(Id(fingerprint));

    public IFingerprintGrain Get(GrainId fingerprint) =>
        (IFingerprintGrain)grains.GetGrain(fingerprint, Pattern.InterfaceType);
}
