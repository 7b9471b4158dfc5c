using Tally.Grains;

namespace Tally.Silo.Hosting;

/// <summary>SQLite has one silo, which holds the file's lock: no other ever takes over its fingerprints.</summary>
internal sealed class AloneLiveness : ISiloLiveness
{
    public ValueTask<long?> Prove() => new(long.MinValue);

    public void Leave()
    {
    }
}
