using Tally.Bench.Client;

namespace Tally.Bench.Workloads;

/// <summary>The endless requests of one workload to one contender.</summary>
internal sealed class Requests(PreparedRequest request, Func<Numbers> next)
{
    /// <summary>Events in one request; for a read, 1.</summary>
    public int EventsEach => request.Events;

    /// <returns>The next request's bytes, valid until the next call.</returns>
    public ReadOnlySpan<byte> Next() => request.With(next);
}
