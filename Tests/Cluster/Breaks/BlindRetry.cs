using Tally.Contracts;

namespace Tally.Tests.Cluster.Breaks;

/// <summary>Sends an event whose outcome is open again, as another event.</summary>
internal sealed class BlindRetry : IOutgoingGrainCallFilter
{
    public async Task Invoke(IOutgoingGrainCallContext context)
    {
        try
        {
            await context.Invoke();
            if (context.Result is not RecordResult { Outcome: RecordOutcome.Unknown }) return;
        }
        catch (OrleansException) when (context.MethodName == nameof(IFingerprintGrain.Record))
        {
            // its silo has gone
        }
        var sent = (Event)context.Request.GetArgument(0)!;
        context.Request.SetArgument(0, sent with { Id = EventIds.Create(DateTimeOffset.UtcNow) });
        await context.Invoke();
    }
}
