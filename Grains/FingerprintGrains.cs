using Tally.Contracts;

namespace Tally.Grains;

/// <summary>
/// The grains of fingerprints. As <c>GetGrain</c>, which looks up type and interface anew each time, for 5 % of a post.
/// </summary>
public sealed class FingerprintGrains(IGrainFactory grains)
{
    private GrainReference? pattern;

    private GrainReference Pattern =>
        pattern ??= (GrainReference)grains.GetGrain<IFingerprintGrain>(FingerprintKey.Of("any"));

    public GrainId Id(string fingerprint) => GrainId.Create(Pattern.GrainId.Type, FingerprintKey.Of(fingerprint));

    public IFingerprintGrain Get(string fingerprint) => Get(Id(fingerprint));

    public IFingerprintGrain Get(GrainId fingerprint) =>
        (IFingerprintGrain)grains.GetGrain(fingerprint, Pattern.InterfaceType);
}
