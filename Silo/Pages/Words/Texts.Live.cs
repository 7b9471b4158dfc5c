namespace Tally.Silo.Pages.Words;

/// <summary>Events as they come. A script puts numbers in the place of {0}.</summary>
public sealed partial class Texts
{
    public string Live => Say("Live", "Live");
    public string LiveMeans => Say(
        "Events as they are recorded, the newest first. Choose an action to see it alone.",
        "Ereignisse, wie sie aufgezeichnet werden, das neueste zuerst. Wähle eine Aktion, um nur sie zu sehen.");
    public string AllActions => Say("All actions", "Alle Aktionen");
    public string LiveWithoutScript => Say("Reload the page to see newer events.",
        "Lade die Seite neu, um neuere Ereignisse zu sehen.");
    public string NoEventYet => Say("Nothing has come since yesterday. Events appear here by themselves.",
        "Seit gestern ist nichts gekommen. Ereignisse erscheinen hier von selbst.");

    public string Connecting => Say("Connecting", "Verbindung wird aufgebaut");
    public string LiveNow => Say("Live: events appear by themselves", "Live: Ereignisse erscheinen von selbst");
    public string LivePaused => Say("Paused", "Angehalten");
    public string LiveLost => Say("The connection is lost. Trying again.",
        "Die Verbindung ist verloren. Neuer Versuch folgt.");
    public string LiveBack => Say("Live again: nothing is missing", "Wieder live: nichts fehlt");
    public string Pause => Say("Pause", "Anhalten");
    public string GoOn => Say("Go on", "Weiter");
    public string GoOnWaiting => Say("Go on ({0} wait)", "Weiter ({0} warten)");
    public string LeftOut => Say("{0} events are left out here: there were too many at once. They are counted.",
        "{0} Ereignisse sind hier ausgelassen: es waren zu viele auf einmal. Gezählt sind sie.");
    public string AwayTooLong => Say(
        "Events are missing here: this page was away for too long. They are counted.",
        "Hier fehlen Ereignisse: diese Seite war zu lange weg. Gezählt sind sie.");
}
