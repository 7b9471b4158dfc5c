namespace Tally.Silo.Pages.Words;

/// <summary>Fingerprints: their list, one of them, and its erasure.</summary>
public sealed partial class Texts
{
    public string Order => Say("Order", "Reihenfolge");
    public string SortRecent => Say("Recent", "Zuletzt");
    public string SortFirst => Say("First", "Zuerst");
    public string SortTotal => Say("Most active", "Aktivste");
    public string LastSeen => Say("Last seen", "Zuletzt gesehen");
    public string Older => Say("Older", "Ältere");
    public string More => Say("More", "Weitere");
    public string NoFingerprints => Say("No fingerprints here.", "Hier sind keine Fingerprints.");
    public string OnlyOfProduct(string product) => Say(
        $"Events and times are those of {product}.", $"Ereignisse und Zeiten sind die von {product}.");

    public string FindLabel => Say("Fingerprint or event id", "Fingerprint oder Ereignis-ID");
    public string FindIt => Say("Find", "Suchen");
    public string NotFoundHere => Say("Neither a fingerprint nor an event id that is recorded:",
        "Weder ein Fingerprint noch eine Ereignis-ID, die gespeichert ist:");
    public string NotFoundHint => Say(
        "Both are found by their whole text, in the same letters. What was erased or pruned is gone.",
        "Beide werden mit ihrem ganzen Text gefunden, in denselben Buchstaben. Was gelöscht oder ausgelagert wurde, "
        + "ist nicht mehr da.");
    public string SeveralFound => Say("Several fingerprints have an event with this id:",
        "Mehrere Fingerprints haben ein Ereignis mit dieser ID:");
    public string UnknownFingerprint => Say("No event of this fingerprint is recorded",
        "Von diesem Fingerprint ist kein Ereignis gespeichert");
    public string BackToFingerprints => Say("Go to the fingerprints", "Zu den Fingerprints");

    public string DaysNotJoined => Say(
        "This service makes fingerprints itself, anew each day. Someone who comes on two days has two of them, and "
        + "nothing can join them.",
        "Dieser Dienst bildet Fingerprints selbst, jeden Tag neu. Wer an zwei Tagen kommt, hat zwei davon, und nichts "
        + "kann sie verbinden.");
    public string Facts => Say("In short", "Kurz gefasst");
    public string LivesOn => Say("Lives on", "Lebt auf");
    public string DaysActive => Say("Days active", "Aktive Tage");
    public string ProductsAndActions => Say("Products and actions", "Produkte und Aktionen");
    public string AllOfThem(long number) => Say($"All {Number(number)}", $"Alle {Number(number)}");
    public string NewestValues => Say("Newest values", "Neueste Werte");
    public string ValueName => Say("Value", "Wert");
    public string NoValues => Say("Its newest events have none that is counted.",
        "Seine neuesten Ereignisse haben keinen, der gezählt wird.");

    public string YearOfActivity => Say("A year of activity", "Ein Jahr Aktivität");
    public string EventsOnDay(string day, long events) => Say(
        $"{day}: {Number(events)} {(events == 1 ? "event" : "events")}",
        $"{day}: {Number(events)} {(events == 1 ? "Ereignis" : "Ereignisse")}");
    public string NoActivity => Say("No events in this year.", "Keine Ereignisse in diesem Jahr.");
    public string MonthOf(DateOnly day) => day.ToString("MMM", Culture);
    public string WeekdayOf(DateOnly day) => day.ToString("ddd", Culture);

    public string EventsCount(long events) => Say(
        events == 1 ? "1 event" : $"{Number(events)} events",
        events == 1 ? "1 Ereignis" : $"{Number(events)} Ereignisse");
    public string PropertiesCount(int properties) => Say(
        properties == 1 ? "1 property" : $"{Number(properties)} properties",
        properties == 1 ? "1 Eigenschaft" : $"{Number(properties)} Eigenschaften");
    public string WithoutEvents(TimeSpan pause) => Say(
        $"{Length(pause)} without events", $"{Length(pause)} ohne Ereignisse");
    public string GoesOn => Say("newer events are further up", "neuere Ereignisse weiter oben");
    public string NoEventsHere => Say("No events up to here.", "Bis hierher keine Ereignisse.");
    public string JumpTo => Say("Go to a day", "Zu einem Tag");
    public string Go => Say("Go", "Los");
    public string ToNewest => Say("To the newest", "Zu den neuesten");
    public string AsOf => Say("As of", "Stand");
    public string Followed => Say("followed live", "wird live verfolgt");
    public string NotFollowed => Say(
        "the connection is lost; trying again", "Verbindung verloren; neuer Versuch folgt");
    public string MarkedEvent => Say("The event that was looked for", "Das gesuchte Ereignis");

    public string Erase => Say("Erase", "Löschen");
    public string EraseMeans => Say(
        "Removes its events with their ids and properties, and what is kept beside them. Totals stay: they name "
        + "nobody.",
        "Entfernt seine Ereignisse mit IDs und Eigenschaften und was daneben gespeichert ist. Summen bleiben: sie "
        + "nennen niemanden.");
    public string Suppress => Say("Refuse its later events too", "Auch spätere Ereignisse von ihm ablehnen");
    public string EraseNext => Say("Erase…", "Löschen…");
    public string EraseAsk => Say("Erase this fingerprint?", "Diesen Fingerprint löschen?");
    public string EraseNow(long events) => Say(
        $"It has {EventsCount(events)}. What is erased cannot be brought back.",
        $"Er hat {EventsCount(events)}. Was gelöscht ist, lässt sich nicht zurückholen.");
    public string EraseNothing => Say("Nothing of it is recorded now.", "Von ihm ist jetzt nichts gespeichert.");
    public string WillSuppress => Say(
        "Its later events will be refused.", "Spätere Ereignisse von ihm werden abgelehnt.");
    public string WillNotSuppress => Say(
        "A later event will be a new fingerprint's first.",
        "Ein späteres Ereignis ist das erste eines neuen Fingerprints.");
    public string EraseKey => Say("Erase key", "Löschschlüssel");
    public string NoEraseKey => Say(
        "That is not an erase key of this server.", "Das ist kein Löschschlüssel dieses Servers.");
    public string NobodyErases => Say(
        "Nobody can erase here: there are keys, but none to erase. Start Tally with",
        "Hier kann niemand löschen: es gibt Schlüssel, aber keinen zum Löschen. Starte Tally mit");
    public string EraseForGood => Say("Erase for good", "Endgültig löschen");
    public string KeepIt => Say("Keep it", "Behalten");
    public string EraseOpen => Say(
        "The database did not answer in time. Whether anything was erased is open: do it again.",
        "Die Datenbank hat nicht rechtzeitig geantwortet. Ob etwas gelöscht ist, ist offen: mach es noch einmal.");
    public string Erased => Say("Erased", "Gelöscht");
    public string WasRemoved => Say("What was removed", "Was entfernt wurde");
    public string Snapshots => Say("Snapshots", "Zwischenstände");
    public string Visits => Say("Visits (days with a product)", "Besuche (Tage mit einem Produkt)");
    public string IsSuppressed => Say(
        "Later events of it are refused.", "Spätere Ereignisse von ihm werden abgelehnt.");
    public string IsNotSuppressed => Say(
        "Later events of it count as those of a new fingerprint.",
        "Spätere Ereignisse von ihm zählen als die eines neuen Fingerprints.");
}
