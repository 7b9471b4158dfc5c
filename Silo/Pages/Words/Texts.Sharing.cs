namespace Tally.Silo.Pages.Words;

/// <summary>Shared views.</summary>
public sealed partial class Texts
{
    public string SharedViews => Say("Shared views", "Geteilte Ansichten");
    public string SharedViewsMean => Say(
        "Whoever has a link sees the overview of its product, without a key, and nothing else.",
        "Wer einen Link hat, sieht die Übersicht seines Produkts, ohne Schlüssel, und sonst nichts.");
    public string LinkOf(string name) => Say($"The link of {name}:", $"Der Link von {name}:");
    public string LinkIsToldOnce => Say(
        "Keep it: it is not shown again.", "Hebe ihn auf: er wird nicht wieder gezeigt.");
    public string ShareName => Say("Name", "Name");
    public string MakeLink => Say("Make a link", "Link erzeugen");
    public string SharedSince => Say("Since", "Seit");
    public string End => Say("End", "Beenden");
    public string EndOf(string name) => Say($"End {name}", $"{name} beenden");
    public string LinkEnded => Say("This link has ended", "Dieser Link ist beendet");
    public string LinkEndedWhy => Say("Ask for another one.", "Frage nach einem anderen.");
}
