namespace Tally.Client;

/// <summary>Why an event will never be recorded.</summary>
/// <param name="Status">HTTP status; 200 if Tally ignores the sender as a bot.</param>
/// <param name="Reason">
/// Tally's code for programs, as its reference lists them, such as <c>unknown_key</c>, <c>id_conflict</c> or
/// <c>too_long</c>; <c>ignored</c> for a bot.
/// </param>
/// <param name="Detail">What exactly is wrong, in English.</param>
/// <param name="Field">The field at fault, if there is one.</param>
/// <param name="Id">The event's id.</param>
/// <param name="Event">The event as JSON, as it was sent. Empty if it could not be written.</param>
public sealed record TallyRefusal(int Status, string Reason, string Detail, string? Field, string Id, string Event);
