using Tally.Grains.EventLog;

namespace Tally.Silo.Storage;

/// <summary>A session: events of one fingerprint and one product, without a pause over 30 minutes.</summary>
/// <param name="Product">The product.</param>
/// <param name="Start">UTC: the first event.</param>
/// <param name="End">UTC: the last event.</param>
/// <param name="Events">Events.</param>
/// <param name="EntryPath">The path of the first event that has one.</param>
/// <param name="ExitPath">The path of the last event that has one.</param>
public sealed record Session(
    string Product, DateTime Start, DateTime End, long Events, string? EntryPath, string? ExitPath);

/// <summary>Sessions that begin in a range.</summary>
/// <param name="From">UTC: the earliest start.</param>
/// <param name="To">UTC: the first moment that does not belong.</param>
/// <param name="Product">Only those of this product; null for all.</param>
public sealed record SessionQuestion(DateTime From, DateTime To, string? Product);

/// <summary>Divides events into sessions, one after another.</summary>
/// <param name="goesOn">Takes a session that begins in the range, and says whether there should be another.</param>
internal sealed class SessionScan(SessionQuestion question, Func<Session, bool> goesOn)
{
    /// <summary>
    /// A longer pause ends a session. An event less than this before the range shows that what follows it began before
    /// the range too, so nothing earlier has to be read.
    /// </summary>
    public static readonly TimeSpan PauseMax = TimeSpan.FromMinutes(30);

    /// <summary>A session that still goes on so long after the range counts with what came until then.</summary>
    public static readonly TimeSpan Overtime = TimeSpan.FromDays(1);

    private readonly DimensionSet path = new(0, ["path"]);
    private readonly List<DimensionValue> values = [];
    private (string Fingerprint, string Product) of;
    private Session? session;

    /// <summary>The next event, by fingerprint, product, time and sequence.</summary>
    /// <returns>Whether there should be another.</returns>
    public bool Add(string fingerprint, string product, DateTime occurred, string? properties)
    {
        if (session is null || of != (fingerprint, product) || occurred - session.End > PauseMax)
        {
            if (!Finish()) return false;
            of = (fingerprint, product);
            session = new(product, occurred, occurred, 0, null, null);
        }
        var page = IsAsked(session) ? PathOf(properties) : null;
        session = session with
        {
            End = occurred,
            Events = session.Events + 1,
            EntryPath = session.EntryPath ?? page,
            ExitPath = page ?? session.ExitPath,
        };
        return true;
    }

    /// <summary>There are no more events of the last one's session.</summary>
    /// <inheritdoc cref="Add"/>
    public bool Finish()
    {
        var finished = session;
        session = null;
        return finished is null || !IsAsked(finished) || goesOn(finished);
    }

    private bool IsAsked(Session one) => one.Start >= question.From && one.Start < question.To;

    private string? PathOf(string? properties)
    {
        path.Collect(properties, values);
        return values.Count == 0 ? null : values[0].Value;
    }
}
