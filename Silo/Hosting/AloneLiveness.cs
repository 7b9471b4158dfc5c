using Tally.Grains;

namespace Tally.Silo.Hosting;

/// <summary>With SQLite there is one silo, which holds the file's lock: nobody takes over.</summary>
internal sealed class AloneLiveness : ISiloLiveness
{
    public ValueTask<bool> Prove() => new(true);
}
