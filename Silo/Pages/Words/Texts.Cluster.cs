namespace Tally.Silo.Pages.Words;

/// <summary>The silos and the database.</summary>
public sealed partial class Texts
{
    public string Cluster => Say("Cluster", "Cluster");
    public string Database => Say("Database", "Datenbank");
    public string Software => Say("Software", "Software");
    public string Size => Say("Size", "Größe");
    public string EventsInLog => Say("Events in the log", "Ereignisse im Log");
    public string DeadSilos => Say("Silos that died in the last hour", "Silos, die in der letzten Stunde starben");
    public string SiloLastSeen => Say("last seen", "zuletzt gesehen");
    public string Since => Say("since", "seit");
    public string NotAnswering => Say("does not answer", "antwortet nicht");
    public string SiloSilent => Say(
        "It did not tell its figures in time. It is paused, cut off, or has just died; or it runs another version.",
        "Es hat seine Zahlen nicht rechtzeitig genannt. Es steht still, ist abgeschnitten oder eben gestorben; oder es "
        + "läuft in einer anderen Version.");
    public string EventsPerSecond => Say("Events a second", "Ereignisse je Sekunde");
    public string InMemory => Say("Fingerprints in memory", "Fingerprints im Speicher");
    public string CommitMedian => Say("Commit, median", "Commit, Median");
    public string CommitSlow => Say("Commit, 99 of 100", "Commit, 99 von 100");
    public string CommitQueue => Say("Waiting for a commit", "Warten auf einen Commit");
    public string ForOthers => Say("Came for other silos", "Kamen für andere Silos");
    public string Repeated => Say("Repeated", "Wiederholt");
    public string Refused => Say("Refused", "Abgelehnt");
    public string Version => Say("Version", "Version");
    public string Connections => Say("Connections to the database", "Verbindungen zur Datenbank");
    public string None => Say("none", "keine");

    public string PoolUse(int used, int open, int most) => Say(
        $"{Number(used)} used, {Number(open)} open, {Number(most)} at most",
        $"{Number(used)} benutzt, {Number(open)} offen, höchstens {Number(most)}");

    public string SiloState(string state) => state switch
    {
        "active" => Say("active", "aktiv"),
        "joining" => Say("joining", "kommt hinzu"),
        "leaving" => Say("leaving", "geht"),
        _ => Say("dead", "tot"),
    };

    public string Bytes(long bytes) => bytes switch
    {
        >= 1_000_000_000_000 => $"{Rounded(bytes / 1e12)} TB",
        >= 1_000_000_000 => $"{Rounded(bytes / 1e9)} GB",
        >= 1_000_000 => $"{Rounded(bytes / 1e6)} MB",
        _ => $"{Rounded(bytes / 1e3)} kB",
    };
}
