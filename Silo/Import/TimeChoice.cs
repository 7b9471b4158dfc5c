namespace Tally.Silo.Import;

/// <summary>Where the events of an import have their times.</summary>
/// <param name="Name">The column or field; null to find it by the usual names.</param>
/// <param name="NowWhereMissing">Whether an event without a time is one of now. Otherwise it is refused: history would be dated to today.</param>
public sealed record TimeChoice(string? Name, bool NowWhereMissing)
{
    public const string Advice = "name it with -time=NAME, or say -time=now to date what has none to now";

    public static TimeChoice Found { get; } = new(null, NowWhereMissing: false);
    public static TimeChoice Now { get; } = new(null, NowWhereMissing: true);
}
