using Tally.Contracts;

namespace Tally.Tests.Cluster.Breaks;

/// <summary>Resends an event whose outcome is unknown, but as another event.</summary>
internal sealed class BlindRetry : IOutgoingGrainCallFilter
{
    public async Task Invoke(IOutgoingGrainCallContext context)
    {
        // Read before the call, because the request object is reused once the call has ended.
        var sent = context.MethodName == nameof(IFingerprintGrain.Record) ? (Event)context.Request.GetArgument(0)!
            : null;
        try
        {
            await context.Invoke();
            if (context.Result is not RecordResult { Outcome: RecordOutcome.Unknown }) return;
        }
        catch (OrleansException) when (sent is not null)
        {
            // the event's silo is gone
        }
        var another = sent! with { Id = EventIds.Create(DateTimeOffset.UtcNow) };
        context.Result = await ((IFingerprintGrain)context.Grain).Record(another);
    }
}
