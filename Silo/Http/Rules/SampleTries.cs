using Tally.Contracts;
using Tally.Silo.Http.AbuseLimits;

namespace Tally.Silo.Http.Rules;

/// <summary>
/// Limits how often an address may have a sample sent, so that nobody makes this server flood others.
/// </summary>
internal sealed class SampleTries(Limits limits) : AddressTries(limits)
{
    // Of a silo; each waits for its receiver.
    private const int AtOnceMax = 4;

    public SemaphoreSlim AtOnce { get; } = new(AtOnceMax);
}
