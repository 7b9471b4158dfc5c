namespace Tally.Silo.Pages.Words;

/// <summary>Funnels.</summary>
public sealed partial class Texts
{
    public string Funnels => Say("Funnels", "Trichter");
    public string FunnelMeans => Say(
        "How many fingerprints did one thing after another, in this order and within the time since the first.",
        "Wie viele Fingerprints eines nach dem anderen taten, in dieser Reihenfolge und in der Zeit seit dem ersten.");
    public string FunnelHelp => Say(
        "A step is an action, perhaps with filters: view[path=/pricing]. The dates are those of the first step.",
        "Ein Schritt ist eine Aktion, vielleicht mit Filtern: view[path=/pricing]. Die Daten gelten für den ersten "
        + "Schritt.");
    public string Step(int number) => Say($"Step {number}", $"Schritt {number}");
    public string Steps => Say("Steps", "Schritte");
    public string Within => Say("Within", "Innerhalb von");
    public string FirstDay => Say("From", "Von");
    public string LastDay => Say("To", "Bis");
    public string DividedBy => Say("Divided by", "Geteilt nach");
    public string Nothing => Say("nothing", "nichts");
    public string OfFirst => Say("of the first step", "vom ersten Schritt");
    public string OfPrevious => Say("of the step before", "vom Schritt davor");
    public string MedianSincePrevious => Say(
        "Median time since the step before", "Mittlere Zeit seit dem Schritt davor");
    public string NotGiven => Say("(none)", "(ohne)");
    public string AllOthers => Say("(all others)", "(alle anderen)");
    public string NobodyInFunnel => Say("Nobody did the first step in this range.",
        "Niemand tat den ersten Schritt in diesem Zeitraum.");
    public string KeepFunnel => Say("Keep this funnel", "Diesen Trichter behalten");
    public string KeptFunnels => Say("Kept funnels", "Behaltene Trichter");
    public string KeptFunnelMeans => Say(
        "A kept funnel is counted as events come, so its answer does not have to read them again.",
        "Ein behaltener Trichter wird mit den Ereignissen gezählt, so dass die Antwort sie nicht noch einmal liest.");
    public string Keep => Say("Keep", "Behalten");
}
