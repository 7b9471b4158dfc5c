namespace Tally.Client.Waiting;

/// <summary>An event that waits to be sent.</summary>
/// <param name="Sequence">Its place among the events that this client has taken, from 1.</param>
/// <param name="Line">Its JSON and a line end.</param>
/// <param name="Segment">The file that has it; null if none does.</param>
internal sealed record PendingEvent(long Sequence, string Id, byte[] Line, JournalSegment? Segment);
