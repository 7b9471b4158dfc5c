namespace Tally.Silo.Pages.Words;

/// <summary>Whether an event and all counts hold.</summary>
public sealed partial class Texts
{
    public string Proof => Say("Proof", "Nachweis");
    public string EventId => Say("Is this event counted? Its id", "Ist dieses Ereignis gezählt? Seine Id");
    public string LookUp => Say("Look up", "Nachsehen");
    public string NoId => Say("That is no event's id", "Das ist keine Id eines Ereignisses");
    public string IdUnknown => Say("No event with this id is in the log", "Kein Ereignis mit dieser Id ist im Log");
    public string IdUnknownMeans => Say(
        "It was never recorded, or it was erased or pruned. If its client has seen no answer, it may send it again "
        + "with this id: then it counts once, whatever became of the first try.",
        "Es wurde nie gespeichert, oder es wurde gelöscht oder aussortiert. Hat der Client keine Antwort gesehen, "
        + "darf er es mit dieser Id noch einmal senden: dann zählt es einmal, was auch aus dem ersten Versuch wurde.");
    public string Counted(int events) => events == 1 ? Say("It is counted, once", "Es ist gezählt, einmal") : Say(
        $"{Number(events)} fingerprints have an event with this id, each counted once",
        $"{Number(events)} Fingerprints haben ein Ereignis mit dieser Id, jedes einmal gezählt");
    public string Sequence => Say("Place in its history", "Platz in dessen Verlauf");
    public string Accepted => Say("Recorded", "Gespeichert");
    public string Occurred => Say("Happened", "Geschehen");

    public string DoCountsHold => Say("Do all counts equal the log?", "Stimmen alle Zahlen mit dem Log überein?");
    public string DoCountsHoldMeans => Say(
        "A verification reads every event again and compares what they add up to with every stored count. Events are "
        + "recorded meanwhile.",
        "Eine Prüfung liest jedes Ereignis noch einmal und vergleicht, was sie ergeben, mit jeder gespeicherten Zahl. "
        + "Währenddessen werden Ereignisse gespeichert.");
    public string LastHeld => Say("All counts were last equal on", "Alle Zahlen stimmten zuletzt am");
    public string DiffersOn(long differences) =>
        $"{Result("differs", differences, null)} {Say("on", "am")}";
    public string NeverHeld => Say("Not verified yet.", "Noch nicht geprüft.");
    public string VerifyNow => Say("Verify now", "Jetzt prüfen");
    public string Running => Say("A verification runs", "Eine Prüfung läuft");
    public string PartOfLog(double part) =>
        Say($"{Percent(part)} of the log", $"{Percent(part)} des Logs");
    public string EventsOf => Say("events of", "Ereignisse von");
    public string FingerprintsIn(TimeSpan length, string silo) => Say(
        $"fingerprints in {Length(length)}, by {silo}", $"Fingerprints in {Length(length)}, durch {silo}");
    public string LastVerifications => Say("The last ones", "Die letzten");
    public string WhatDiffers => Say("What differs", "Was abweicht");
    public string Result(string state, long? differences, string? reason) => state switch
    {
        "held" => Say("all equal", "alles stimmt"),
        "differs" => differences == 1 ? Say("1 difference", "1 Abweichung")
            : Say($"{Number(differences ?? 0)} differences", $"{Number(differences ?? 0)} Abweichungen"),
        _ => reason switch
        {
            "silo_stopped" => Say("not ended: its silo was stopped", "nicht beendet: sein Silo wurde angehalten"),
            "silo_died" => Say("not ended: its silo died", "nicht beendet: sein Silo ist gestorben"),
            "unavailable" => Say(
                "not ended: the database did not answer", "nicht beendet: die Datenbank antwortete nicht"),
            "too_many_rollups" => Say("not ended: too much for a silo's memory, use app verify",
                "nicht beendet: zu viel für den Speicher eines Silos, nimm app verify"),
            _ => Say("failed: the silo's log says why", "gescheitert: das Log des Silos sagt, warum"),
        },
    };

    public string RefusedAndRepeated => Say("Refused and repeated", "Abgelehnt und wiederholt");
    public string SinceStart => Say("By all silos, each since its start.", "Von allen Silos, seit jedes läuft.");
    public string RepeatedMeans => Say(
        "Repeated: there already, counted once", "Wiederholt: schon da, einmal gezählt");
    public string NothingRefused => Say("Nothing was refused.", "Nichts wurde abgelehnt.");
    public string Reason => Say("Reason", "Grund");
    public string SomeSilent => Say(
        "A silo did not answer: what it refused is missing here.",
        "Ein Silo antwortete nicht: was es abgelehnt hat, fehlt hier.");
}
