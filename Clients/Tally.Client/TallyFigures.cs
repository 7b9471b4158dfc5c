namespace Tally.Client;

/// <summary>
/// What has become of the events since the client was made, as of one moment. Tracked events and those that an earlier
/// process left are together Recorded + Refused + Dropped + Waiting.
/// </summary>
/// <param name="Recorded">Tally has acknowledged them: they are on its disk and counted, once.</param>
/// <param name="Refused">They are refused for good, by Tally or by Track.</param>
/// <param name="Dropped">
/// There was no room for them, they were still waiting when the client ended, or they were tracked later.
/// </param>
/// <param name="Waiting">They are to be sent, or on their way.</param>
public sealed record TallyFigures(long Recorded, long Refused, long Dropped, long Waiting);
