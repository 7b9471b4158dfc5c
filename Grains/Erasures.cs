using Tally.Contracts;
using Tally.Grains.EventLog;

namespace Tally.Grains;

/// <summary>Fingerprints leave in turns: a long history holds a connection for as long as it takes.</summary>
public sealed class Erasures(IEventLogStorage storage, KnownFingerprints known, Limits limits)
{
    private readonly SemaphoreSlim turns = new(limits.ErasuresMax);

    /// <inheritdoc cref="IEventLogStorage.Erase"/>
    public async Task<Removed?> Erase(string fingerprint, long head, bool suppress)
    {
        if (suppress) known.NoteSuppression();
        await turns.WaitAsync();
        try
        {
            return await storage.Erase(fingerprint, head, suppress, limits.PageEventsMax);
        }
        finally
        {
            turns.Release();
        }
    }
}
