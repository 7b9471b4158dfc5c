namespace Tally.Grains.EventLog;

/// <summary>Compares the total of each pair of product and action with the log.</summary>
internal static class CountsProof
{
    public static async Task Run(IEventLogAudit audit, RollupDeltas folded, Action<string> report,
        CancellationToken cancellation)
    {
        var missing = folded.GroupBy(pair => (pair.Key.Product, pair.Key.Action), pair => pair.Value.Events)
            .ToDictionary(pair => pair.Key, pair => pair.Sum());
        await foreach (var (product, action, events) in audit.Counts(cancellation))
        {
            missing.Remove((product, action), out var expected);
            if (events != expected) report($"counter {product} {action}: stored {events}, the log says {expected}");
        }
        foreach (var ((product, action), expected) in missing)
            report($"counter {product} {action}: missing, the log says {expected}");
    }
}
