using System.Text.Json.Serialization;
using Tally.Contracts;
using Tally.Grains.EventLog;

namespace Tally.Silo.Http;

/// <summary>Part of a fingerprint's history, oldest first.</summary>
/// <param name="Fingerprint">Whose.</param>
/// <param name="Events">The events.</param>
/// <param name="Next">The <c>after</c> of the next page; absent where this page was not full, by events or by bytes.</param>
public sealed record EventsPage(string Fingerprint, IReadOnlyList<LoggedEvent> Events, long? Next)
{
    internal static EventsPage Of(string fingerprint, IReadOnlyList<RecordedEvent> events, int size, int bytesMax) => new(fingerprint,
        [.. events.Select(recorded => LoggedEvent.Of(recorded.Sequence, recorded.Event))],
        events.Count == size || events.Sum(recorded => (long)recorded.PropertiesBytes) > bytesMax ? events[^1].Sequence : null);
}

/// <summary>A row of the log.</summary>
/// <param name="Sequence">Its place in the fingerprint's history, from 1.</param>
/// <param name="Id">Its id in the log: the client's where that was a UUID, else the UUID made of it.</param>
/// <param name="Action">What was done.</param>
/// <param name="Product">To what.</param>
/// <param name="Created">UTC: when it was accepted.</param>
/// <param name="Occurred">UTC: the client's time where it gave one, else <paramref name="Created"/>.</param>
/// <param name="Properties">A JSON object's text, as the client wrote it, where it gave one.</param>
public sealed record LoggedEvent(
    long Sequence, Guid Id, string Action, string Product, DateTime Created, DateTime Occurred,
    [property: JsonConverter(typeof(RawJson))] string? Properties)
{
    internal static LoggedEvent Of(long sequence, Event e) =>
        new(sequence, e.Id, e.Action, e.Product, e.Created, e.Occurred, e.Properties);
}
