namespace Tally.Silo.Pages.Words;

/// <summary>The overview.</summary>
public sealed partial class Texts
{
    public string Range => Say("Range", "Zeitraum");
    public string RangeOf(string name) => name switch
    {
        "today" => Say("Today", "Heute"),
        "yesterday" => Say("Yesterday", "Gestern"),
        "7d" => Say("7 days", "7 Tage"),
        "30d" => Say("30 days", "30 Tage"),
        "90d" => Say("90 days", "90 Tage"),
        "12mo" => Say("12 months", "12 Monate"),
        _ => All,
    };
    public string AllProducts => Say("All products", "Alle Produkte");
    public string Dates => Say("Dates", "Daten");
    public string Compare => Say("Compare", "Vergleichen");
    public string ComparedWith(string name) => name switch
    {
        "previous" => Say("With the time before", "Mit der Zeit davor"),
        "year" => Say("With the year before", "Mit dem Vorjahr"),
        _ => Say("Without a comparison", "Ohne Vergleich"),
    };

    public string WithoutFilter(string of) => Say($"Without this filter: {of}", $"Ohne diesen Filter: {of}");
    public string OneFilter => Say(
        "Values are counted over all actions. Counts of two values at once come from the log, where events that were "
        + "pruned or erased are missing.",
        "Werte werden über alle Aktionen gezählt. Zahlen zu zwei Werten zugleich kommen aus dem Protokoll, in dem "
        + "aufgeräumte und gelöschte Ereignisse fehlen.");
    public string NoListsOfAction => Say(
        "Pages, referrers and other values are counted over all actions. Take the filter of the action away to see "
        + "them.",
        "Seiten, Verweise und andere Werte werden über alle Aktionen gezählt. Ohne den Filter der Aktion sind sie zu "
        + "sehen.");
    public string Sums => Say("Sums", "Summen");
    public string Events => Say("Events", "Ereignisse");
    public string UniqueFingerprints => Say("Unique fingerprints", "Verschiedene Fingerprints");
    public string NewFingerprints => Say("New fingerprints", "Neue Fingerprints");
    public string NewWithAction => Say("New fingerprints, first with this", "Neue Fingerprints, zuerst hiermit");
    public string BounceShare => Say("Bounces", "Absprünge");
    public string HereNow => Say("Here now", "Jetzt da");
    public string LastMinutes => Say("in the last 5 minutes", "in den letzten 5 Minuten");
    public string CountNow => Say("Count", "Zählen");
    public string CountedFromLog => Say("This is counted from the log.", "Das wird aus dem Protokoll gezählt.");
    public string FromShare(double share) => Say($"from {Percent(share)}", $"von {Percent(share)}");
    public string WhyMissing(Missing why) => why switch
    {
        Missing.NotAnswered => Say("no answer in time", "keine Antwort in der Zeit"),
        Missing.TooManyDays => Say("not for so many days", "nicht für so viele Tage"),
        Missing.ByAction => Say("not counted by action", "nicht nach Aktion gezählt"),
        Missing.ByFilter => Say("not counted with this filter", "mit diesem Filter nicht gezählt"),
        Missing.Refused => Say("cannot be shown", "lässt sich nicht zeigen"),
        Missing.Later => Say("not counted yet", "noch nicht gezählt"),
        _ => Say("none", "keine"),
    };
    public string From(long number) => Say($"from {Number(number)}", $"von {Number(number)}");
    public string NoChange => Say("no change", "unverändert");
    public string New => Say("new", "neu");
    public string ChangeName => Say("Change", "Änderung");
    public string NothingInRange => Say("Nothing in this range.", "Nichts in diesem Zeitraum.");
    public string To(string first, string last) => Say($"{first} to {last}", $"{first} bis {last}");
    public string Compared(string range, string earlier) => Say(
        $"{range}, compared with {earlier}, the same weekdays.",
        $"{range}, verglichen mit {earlier}, denselben Wochentagen.");
    public string NotOver => Say("Today is not over, and is compared with a whole day.",
        "Heute ist nicht vorbei und wird mit einem ganzen Tag verglichen.");

    public string ChartTitle(string interval, bool hasUniques) => interval switch
    {
        "hour" => Say("Events by hour", "Ereignisse nach Stunde"),
        "week" => Say("Events by week", "Ereignisse nach Woche"),
        "month" => Say("Events by month", "Ereignisse nach Monat"),
        _ when hasUniques =>
            Say("Events and unique fingerprints by day", "Ereignisse und verschiedene Fingerprints nach Tag"),
        _ => Say("Events by day", "Ereignisse nach Tag"),
    };
    public string ChartMoves => Say("Chart. Arrows move along it, Enter shows what is chosen by itself.",
        "Diagramm. Die Pfeiltasten bewegen darin, Enter zeigt das Gewählte allein.");
    public string ChartZoom => Say("Drag across the chart to see part of it.",
        "Ziehen Sie über das Diagramm, um einen Teil davon zu sehen.");
    public string Interval => Say("Interval", "Abschnitt");
    public string IntervalName(string name) => name switch
    {
        "hour" => Say("Hour", "Stunde"),
        "week" => Say("Week", "Woche"),
        "month" => Say("Month", "Monat"),
        _ => Say("Day", "Tag"),
    };
    public string EventsEarlier => Say("Events, earlier range", "Ereignisse, früherer Zeitraum");
    public string Earlier => Say("Earlier", "Früher");
    public string AsTable => Say("As a table", "Als Tabelle");
    public string SoFar => Say("(so far)", "(bisher)");
    public string Notes => Say("Notes", "Notizen");
    public string NoteName => Say("Note", "Notiz");
    public string TimeName => Say("Time", "Uhrzeit");
    public string AddNote => Say("Add a note", "Notiz hinzufügen");
    public string RemoveNote(string text) => Say($"Remove the note {text}", $"Notiz {text} entfernen");
    public string NoteIsSeen(bool isOfProduct) => isOfProduct
        ? Say("It is about this product. Another for the same time replaces it.",
            "Sie gilt für dieses Produkt. Eine andere für dieselbe Zeit ersetzt sie.")
        : Say("It is about all products. Another for the same time replaces it.",
            "Sie gilt für alle Produkte. Eine andere für dieselbe Zeit ersetzt sie.");

    public string List(string of) => of switch
    {
        "products" => Say("Products", "Produkte"),
        "actions" => Say("Actions", "Aktionen"),
        _ => Dimension(of),
    };
    public string All => Say("All", "Alle");
    public string Others => Say("All others", "Alle anderen");
    public string FindRows => Say("Find", "Suchen");
    public string PagesOfList => Say("Pages of the list", "Seiten der Liste");
    public string RowsFound(long rows) => rows == 1 ? Say("1 row", "1 Zeile")
        : Say($"{Number(rows)} rows", $"{Number(rows)} Zeilen");
    public string OnlyLargest(long rows, long max) => Say(
        $"{RowsFound(rows)}, of the {Number(max)} with the most events. Others are not listed.",
        $"{RowsFound(rows)} von den {Number(max)} mit den meisten Ereignissen. Andere stehen nicht in der Liste.");

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
    public string FromSdk => Say("From Segment's SDKs", "Mit den SDKs von Segment");
    public string UseProduct => Say("Use this name", "Diesen Namen nehmen");
    public string FromPage => Say("From a page", "Von einer Webseite");
    public string FromOtherSites => Say("Pages of another site work once it is in",
        "Seiten einer anderen Website gehen, sobald sie hier steht:");
}
