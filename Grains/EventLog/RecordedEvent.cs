using System.Text;
using Tally.Contracts;
using Tally.Grains.Rules;

namespace Tally.Grains.EventLog;

/// <summary>An event with the place its grain decided for it: a row of the event log.</summary>
/// <param name="Fingerprint">Whose history it is in.</param>
/// <param name="Sequence">
/// Its place in that history. A fingerprint's sequences have no gaps: its next event is always its head plus one,
/// which is what makes the log's key a fence against every writer that does not know the head.
/// </param>
/// <param name="Event">What the client sent.</param>
public record RecordedEvent(string Fingerprint, long Sequence, Event Event)
{
    /// <summary>The rules by which it was decided, and what of them it matches; null if there was none, or it was not
    /// asked for.</summary>
    public EventMarks? Marks { get; init; }

    /// <summary>Of UTF-8.</summary>
    public int PropertiesBytes => Event.Properties is { } properties ? Encoding.UTF8.GetByteCount(properties) : 0;
}

/// <summary>
/// The same as its grain decided it, and as every fold of the log decides it again: with what it is the first of, for
/// the rollups.
/// </summary>
/// <param name="Firsts">Not stored.</param>
public sealed record DecidedEvent(string Fingerprint, long Sequence, EventFirsts Firsts, Event Event)
    : RecordedEvent(Fingerprint, Sequence, Event)
{
    /// <summary>What it does to rules; null for nothing.</summary>
    public RuleEffects? Effects { get; init; }
}

/// <summary>A row of the log, for a proof.</summary>
/// <param name="Recorded">The event.</param>
/// <param name="Dimensions">What it is counted by.</param>
public sealed record LogRow(RecordedEvent Recorded, DimensionSet Dimensions);

/// <summary>
/// What an event is the first of, for its fingerprint. Summed over all events these count visitors exactly.
/// </summary>
[Flags]
public enum EventFirsts : byte
{
    None = 0,
    /// <summary>First event ever.</summary>
    OfFingerprint = 1,
    /// <summary>First event ever of its product.</summary>
    OfProduct = 2,
    /// <summary>First event on its day.</summary>
    OfDay = 4,
    /// <summary>First event of its product on its day.</summary>
    OfProductDay = 8,
}
