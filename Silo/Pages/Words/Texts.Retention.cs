namespace Tally.Silo.Pages.Words;

/// <summary>Who came back.</summary>
public sealed partial class Texts
{
    public string WhoCameBack => Say("Who came back", "Wer wiederkam");
    public string Show => Say("Show", "Zeigen");
    public string Period => Say("Period", "Zeitspanne");
    public string PeriodName(string period) => period switch
    {
        "day" => Say("Days", "Tage"),
        "week" => Say("Weeks", "Wochen"),
        _ => Say("Months", "Monate"),
    };
    public string RetentionMeans(string period) => period switch
    {
        "day" => Say("Of the fingerprints first seen on a day, how many came on each later one. Today is not over.",
            "Wie viele der Fingerprints, die zuerst an einem Tag kamen, an jedem späteren kamen. Heute ist nicht "
            + "vorbei."),
        "week" => Say(
            "Of the fingerprints first seen in a week, how many came in each later one. This week is not over.",
            "Wie viele der Fingerprints, die zuerst in einer Woche kamen, in jeder späteren kamen. Diese Woche ist "
            + "nicht vorbei."),
        _ => Say("Of the fingerprints first seen in a month, how many came in each later one. This month is not over.",
            "Wie viele der Fingerprints, die zuerst in einem Monat kamen, in jedem späteren kamen. Dieser Monat ist "
            + "nicht vorbei."),
    };
    public string FirstSeen => Say("First seen", "Zuerst gesehen");
    public string Later(int periods, string period) => period switch
    {
        "day" => Say($"Day {periods}", $"Tag {periods}"),
        "week" => Say($"Week {periods}", $"Woche {periods}"),
        _ => Say($"Month {periods}", $"Monat {periods}"),
    };
}
