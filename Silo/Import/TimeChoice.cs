namespace Tally.Silo.Import;

/// <summary>Where the events of an import have their times.</summary>
/// <param name="Name">The column or field; null to look for the usual names.</param>
/// <param name="NowWhereMissing">Whether an event without a time gets the current one; else it is refused.</param>
public sealed record TimeChoice(string? Name, bool NowWhereMissing)
{
    public const string Advice = "name it with -time=NAME, or use -time=now to give such events the current time";

    public static TimeChoice Found { get; } = new(null, NowWhereMissing: false);
    public static TimeChoice Now { get; } = new(null, NowWhereMissing: true);
}
