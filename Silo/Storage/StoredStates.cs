using Orleans.Serialization;
using Tally.Grains;

namespace Tally.Silo.Storage;

/// <summary>Reads and writes a fingerprint's state in the format of grain storage.</summary>
internal static class StoredStates
{
    // Created when first needed, since most databases have nothing pruned.
    private static readonly Lazy<Serializer<FingerprintState>> Serializer = new(() =>
        new ServiceCollection().AddSerializer().BuildServiceProvider()
            .GetRequiredService<Serializer<FingerprintState>>());

    public static FingerprintState Deserialize(byte[] stored) => Serializer.Value.Deserialize(stored)!;

    public static byte[] Write(FingerprintState state) => Serializer.Value.SerializeToArray(state);
}
