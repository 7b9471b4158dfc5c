using Tally.Contracts;

namespace Tally.Tests.Cluster.Breaks;

/// <summary>Sends an event whose outcome is open again, as another event.</summary>
internal sealed class BlindRetry : IOutgoingGrainCallFilter
{
    public async Task Invoke(IOutgoingGrainCallContext context)
    {
        // Taken before the call: its request is another call's once it has ended.
        var sent = context.MethodName == nameof(IFingerprintGrain.Record) ? (Event)context.Request.GetArgument(0)!
            : null;
        try
        {
            await context.Invoke();
            if (context.Result is not RecordResult { Outcome: RecordOutcome.Unknown }) return;
        }
        catch (OrleansException) when (sent is not null)
        {
            // its silo has gone
        }
        var another = sent! with { Id = EventIds.Create(DateTimeOffset.UtcNow) };
        context.Result = await ((IFingerprintGrain)context.Grain).Record(another);
    }
}
