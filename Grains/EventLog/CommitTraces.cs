using System.Diagnostics;
using Tally.Contracts;

namespace Tally.Grains.EventLog;

/// <summary>
/// What of a request's way neither Orleans nor the database's driver traces. One commit is many requests' wait: its
/// span stands in the trace of the first request that is being traced, and links to the others. Where none is, there is
/// no span.
/// </summary>
public static class CommitTraces
{
    public const string SourceName = "Tally";
    private const int LinksMax = 128; // what the OpenTelemetry SDK keeps of a span's links by default

    private static readonly ActivitySource Source = new(SourceName);

    /// <summary>
    /// The span that Orleans would begin for a call of the grain, for one without a message. Null where nothing is
    /// traced.
    /// </summary>
    public static Activity? StartCall(string method) =>
        Source.HasListeners() ? Source.StartActivity($"{nameof(IFingerprintGrain)}/{method}") : null;

    /// <summary>The same on the silo to which the call came in a group.</summary>
    /// <param name="caller">As W3C's <c>traceparent</c>; null where the caller is not traced.</param>
    internal static Activity? StartCall(string method, string? caller) =>
        caller is not null && ActivityContext.TryParse(caller, traceState: null, isRemote: true, out var context)
            ? Source.StartActivity($"{nameof(IFingerprintGrain)}/{method}", ActivityKind.Server, context) : null;

    internal static Activity? Start(List<Run> runs)
    {
        if (!Source.HasListeners()) return null;
        var callers =
            runs.Where(run => run.Caller is { Recorded: true }).Select(run => run.Caller!.Context).Take(LinksMax + 1)
                .ToList();
        return callers.Count == 0 ? null
            : Source.StartActivity("commit", ActivityKind.Internal, callers[0],
                links: callers.Skip(1).Select(caller => new ActivityLink(caller)));
    }
}
