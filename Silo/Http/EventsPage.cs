using System.Text.Json.Serialization;
using Tally.Contracts;
using Tally.Grains.EventLog;

namespace Tally.Silo.Http;

/// <summary>Part of a fingerprint's history, oldest first.</summary>
/// <param name="Fingerprint">The fingerprint.</param>
/// <param name="Events">The events.</param>
/// <param name="Next">The <c>after</c> of the next page; absent if this page was not full.</param>
public sealed record EventsPage(string Fingerprint, IReadOnlyList<LoggedEvent> Events, long? Next)
{
    internal static EventsPage Create(
        string fingerprint, IReadOnlyList<RecordedEvent> events, int size, int bytesMax) => new(fingerprint,
        [.. events.Select(recorded => LoggedEvent.Create(recorded.Sequence, recorded.Event))],
        events.Count == size || events.Sum(recorded => (long)recorded.PropertiesBytes) > bytesMax ? events[^1].Sequence
            : null);
}

/// <summary>A row of the log.</summary>
/// <param name="Sequence">Its place in the fingerprint's history, from 1.</param>
/// <param name="Id">Its id in the log: the client's id if that is a UUID, else a UUID made of it.</param>
/// <param name="Action">What was done.</param>
/// <param name="Product">To what.</param>
/// <param name="Created">UTC: when it was accepted.</param>
/// <param name="Occurred">UTC: the client's time if it gave one, else <paramref name="Created"/>.</param>
/// <param name="Properties">A JSON object as the client wrote it, if it gave one.</param>
public sealed record LoggedEvent(
    long Sequence, Guid Id, string Action, string Product, DateTime Created, DateTime Occurred,
    [property: JsonConverter(typeof(RawJson))] string? Properties)
{
    internal static LoggedEvent Create(long sequence, Event e) =>
        new(sequence, e.Id, e.Action, e.Product, e.Created, e.Occurred, e.Properties);
}
