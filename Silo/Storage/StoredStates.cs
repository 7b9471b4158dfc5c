using Orleans.Serialization;
using Tally.Grains;

namespace Tally.Silo.Storage;

/// <summary>A fingerprint's state as grain storage writes it, for what is kept of it beside that.</summary>
internal static class StoredStates
{
    // Made when it is needed first: most databases have nothing pruned.
    private static readonly Lazy<Serializer<FingerprintState>> Serializer = new(() =>
        new ServiceCollection().AddSerializer().BuildServiceProvider().GetRequiredService<Serializer<FingerprintState>>());

    public static FingerprintState Read(byte[] stored) => Serializer.Value.Deserialize(stored)!;

    public static byte[] Write(FingerprintState state) => Serializer.Value.SerializeToArray(state);
}
