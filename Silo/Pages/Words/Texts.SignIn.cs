namespace Tally.Silo.Pages.Words;

/// <summary>Signing in.</summary>
public sealed partial class Texts
{
    public string SignIn => Say("Sign in", "Anmelden");
    public string ReadKey => Say("Read key", "Leseschlüssel");
    public string NoReadKey => Say(
        "That is not a read key of this server.", "Das ist kein Leseschlüssel dieses Servers.");
    public string TooManyTries => Say("Too many tries. Wait a minute.", "Zu viele Versuche. Warte eine Minute.");
    public string DatabaseAway => Say(
        "The database does not answer. Try again.", "Die Datenbank antwortet nicht. Versuche es noch einmal.");
}
