using System.Text.Json.Serialization;
using Tally.Grains.EventLog;
using Tally.Grains.Rules;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Live;

/// <summary>An event of any fingerprint.</summary>
/// <param name="Fingerprint">Whose event it is.</param>
/// <param name="Sequence">Its place in the fingerprint's history, from 1.</param>
/// <param name="Id">Its id in the log: the client's id if that is a UUID, else a UUID made of it.</param>
/// <param name="Action">What was done.</param>
/// <param name="Product">To what.</param>
/// <param name="Created">UTC: when it was accepted.</param>
/// <param name="Occurred">UTC: the client's time if it gave one, else <paramref name="Created"/>.</param>
/// <param name="Firings">Of the rules that it made fire; absent if it made none.</param>
/// <param name="Properties">A JSON object as the client wrote it, if it gave one.</param>
public sealed record FeedEvent(
    string Fingerprint, long Sequence, Guid Id, string Action, string Product, DateTime Created, DateTime Occurred,
    IReadOnlyList<FeedFiring>? Firings, [property: JsonConverter(typeof(RawJson))] string? Properties)
{
    internal static FeedEvent From(FeedNews news)
    {
        var recorded = news.Event!;
        return From(recorded) with
        {
            Firings = news.Fired.Count == 0 ? null : [.. news.Fired.Select(one => new FeedFiring(
                FiringId.Create(one.Rule, one.Version, recorded.Fingerprint, recorded.Sequence), one.Rule,
                one.Version))],
        };
    }

    internal static FeedEvent From(RecordedEvent recorded)
    {
        var e = recorded.Event;
        return new(recorded.Fingerprint, recorded.Sequence, e.Id, e.Action, e.Product, e.Created, e.Occurred, null,
            e.Properties);
    }
}

/// <summary>A rule has fired because something did not happen.</summary>
/// <param name="Id">The firing's.</param>
/// <param name="Rule">The rule's name.</param>
/// <param name="Version">The rule's version.</param>
/// <param name="Fingerprint">Absent for a silence, which is nobody's.</param>
/// <param name="Sequence">Of the event that nothing followed; absent likewise.</param>
/// <param name="Occurred">UTC: when that event occurred; the minute of the last one before a silence.</param>
public sealed record FeedClockFiring(
    string Id, string Rule, int Version, string? Fingerprint, long? Sequence, DateTime Occurred)
{
    internal static FeedClockFiring From(ClockFiring one)
    {
        var isNobodys = one.Fingerprint == Silence.Fingerprint;
        return new(FiringId.Create(one.Rule, one.Version, one.Fingerprint, one.Sequence), one.Rule, one.Version,
            isNobodys ? null : one.Fingerprint, isNobodys ? null : one.Sequence, one.Occurred);
    }
}

/// <summary>A rule has fired at an event.</summary>
/// <param name="Id">The firing's.</param>
/// <param name="Rule">The rule's name.</param>
/// <param name="Version">The rule's version.</param>
public sealed record FeedFiring(string Id, string Rule, int Version);
