using System.Diagnostics;
using Tally.Contracts;

namespace Tally.Grains.EventLog;

/// <summary>
/// What of a request's way neither Orleans nor the database's driver traces. Many requests wait for one commit, and for
/// one group that goes to another silo: its span stands in the trace of the first request that is being traced, and
/// links to the others. Where none is, there is no span.
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

    internal static Activity? Start(List<Run> runs) => !Source.HasListeners() ? null
        : Start("commit", ActivityKind.Internal,
            runs.Where(run => run.Caller is { Recorded: true }).Select(run => run.Caller!.Context));

    /// <summary>Of what goes to another silo together.</summary>
    /// <param name="callers">As W3C's <c>traceparent</c>, null where a caller is not traced.</param>
    internal static Activity? StartGroup(IEnumerable<string?> callers) => !Source.HasListeners() ? null
        : Start("group", ActivityKind.Client, callers.Where(caller => caller is not null)
            .Select(caller => ActivityContext.Parse(caller!, traceState: null)));

    private static Activity? Start(string name, ActivityKind kind, IEnumerable<ActivityContext> callers)
    {
        List<ActivityContext> some = [.. callers.Take(LinksMax + 1)];
        return some.Count == 0 ? null
            : Source.StartActivity(name, kind, some[0], links: some.Skip(1).Select(caller => new ActivityLink(caller)));
    }
}
