using System.Text;
using Microsoft.Extensions.Logging;
using Tally.Client.Waiting;

namespace Tally.Client.Sending;

/// <summary>Tells the program, and its log, what is refused for good.</summary>
internal sealed class RefusalReport(Action<TallyRefusal>? callback, ILogger logger)
{
    public void Report(IReadOnlyList<(PendingEvent Event, RefusedItem Refusal)> refused)
    {
        if (refused.Count == 0) return;
        var first = refused[0].Refusal;
        ClientLog.Refused(logger, refused.Count, first.Status, first.Reason, first.Detail);
        if (callback is null) return;
        foreach (var (one, why) in refused)
            Call(new(why.Status, why.Reason, why.Detail, why.Field, one.Id,
                Encoding.UTF8.GetString(one.Line.AsSpan().TrimEnd((byte)'\n'))));
    }

    public void Report(TallyRefusal refusal)
    {
        ClientLog.Refused(logger, 1, refusal.Status, refusal.Reason, refusal.Detail);
        Call(refusal);
    }

    // Whatever the program's own code throws must not end the sending.
    private void Call(TallyRefusal refusal)
    {
        try
        {
            callback?.Invoke(refusal);
        }
        catch (Exception exception)
        {
            ClientLog.CallbackFailed(logger, exception);
        }
    }
}
