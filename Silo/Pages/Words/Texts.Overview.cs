namespace Tally.Silo.Pages.Words;

/// <summary>The overview.</summary>
public sealed partial class Texts
{
    public string Range => Say("Range", "Zeitraum");
    public string RangeOf(int days) => days switch
    {
        1 => Say("Today", "Heute"),
        365 => Say("1 year", "1 Jahr"),
        _ => Say($"{days} days", $"{days} Tage"),
    };
    public string AllProducts => Say("All products", "Alle Produkte");
    public string Sums => Say("Sums", "Summen");
    public string Events => Say("Events", "Ereignisse");
    public string UniqueFingerprints => Say("Unique fingerprints", "Verschiedene Fingerprints");
    public string NewFingerprints => Say("New fingerprints", "Neue Fingerprints");
    public string From(long number) => Say($"from {Number(number)}", $"von {Number(number)}");
    public string NoChange => Say("no change", "unverändert");
    public string New => Say("new", "neu");
    public string ChangeName => Say("Change", "Änderung");
    public string NothingInRange => Say("Nothing in this range.", "Nichts in diesem Zeitraum.");
    public string To(string first, string last) => Say($"{first} to {last}", $"{first} bis {last}");
    public string Compared(string range, string earlier) => Say(
        $"{range}, compared with {earlier}, the same weekdays. Today is not over, and is compared with whole days.",
        $"{range}, verglichen mit {earlier}, denselben Wochentagen. Heute ist nicht vorbei und wird mit ganzen Tagen "
        + "verglichen.");

    public string ChartTitle(bool isByHour) => isByHour ? Say("Events by hour", "Ereignisse nach Stunde")
        : Say("Events and unique fingerprints by day", "Ereignisse und verschiedene Fingerprints nach Tag");
    public string EventsEarlier => Say("Events, earlier range", "Ereignisse, früherer Zeitraum");
    public string Earlier => Say("Earlier", "Früher");
    public string AsTable => Say("As a table", "Als Tabelle");
    public string HourName => Say("Hour", "Stunde");
    public string DayName => Say("Day", "Tag");
    public string SoFar => Say("(so far)", "(bisher)");
    public string PointOfChart(string time, long events, long? uniques, long earlier, bool isRunning) => Say(
        $"{time}: {Number(events)} events"
            + (uniques is { } some ? $", {Number(some)} unique fingerprints" : "")
            + $"; {Number(earlier)} events in the earlier range" + (isRunning ? "; not over yet" : ""),
        $"{time}: {Number(events)} Ereignisse"
            + (uniques is { } few ? $", {Number(few)} verschiedene Fingerprints" : "")
            + $"; {Number(earlier)} Ereignisse im früheren Zeitraum" + (isRunning ? "; noch nicht vorbei" : ""));

    public string Products => Say("Products", "Produkte");
    public string Actions => Say("Actions", "Aktionen");

    /// <summary>A dimension's name for people; one's own has none but its own.</summary>
    public string Dimension(string name) => name switch
    {
        "path" => Say("Pages", "Seiten"),
        "referrer" => Say("Referrers", "Verweise"),
        "utm_source" => Say("Campaign sources", "Kampagnenquellen"),
        "utm_medium" => Say("Campaign media", "Kampagnenmedien"),
        "utm_campaign" => Say("Campaigns", "Kampagnen"),
        "title" => Say("Page titles", "Seitentitel"),
        "language" => Say("Languages", "Sprachen"),
        "screen" => Say("Screens", "Bildschirme"),
        "browser" => Say("Browsers", "Browser"),
        "os" => Say("Operating systems", "Betriebssysteme"),
        "device" => Say("Devices", "Geräte"),
        "country" => Say("Countries", "Länder"),
        "channel" => Say("Channels", "Kanäle"),
        _ => name,
    };

    public string Waiting => Say("Waiting for the first event", "Warten auf das erste Ereignis");
    public string WaitingWhy => Say("No events yet. Send one, and this page shows it by itself.",
        "Noch keine Ereignisse. Sende eines, und diese Seite zeigt es von selbst.");
    public string FromTerminal => Say("From a terminal", "Von der Kommandozeile");
    public string FromPage => Say("From a page", "Von einer Webseite");
    public string FromOtherSites => Say("Pages of another site work once it is in",
        "Seiten einer anderen Website gehen, sobald sie hier steht:");
}
