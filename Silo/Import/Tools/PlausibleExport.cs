namespace Tally.Silo.Import.Tools;

/// <summary>Plausible's CSV files: sums of each day, which are not imported.</summary>
internal static class PlausibleExport
{
    /// <summary>Why not.</summary>
    public const string Refusal =
        "Plausible's export has sums of each day and no events or visitors: Tally counts visitors, and would have to "
        + "invent them";

    private static readonly string[] Sums =
        ["visitors", "pageviews", "visits", "entrances", "exits", "bounces", "visit_duration", "events"];

    public static bool IsHeader(List<string> names) =>
        names.Contains("date") && names.Count(Sums.Contains) >= 2;
}
