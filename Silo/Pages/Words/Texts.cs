using Microsoft.AspNetCore.Http.Headers;

namespace Tally.Silo.Pages.Words;

/// <summary>The languages of the pages.</summary>
public enum Language
{
    English,
    German,
}

/// <summary>
/// All that the pages say, each text in every language beside the others, so that none can be forgotten. A part of this
/// class for each page.
/// </summary>
public sealed partial class Texts(Language language)
{
    /// <summary>The languages by the code of their texts: the name that their readers give them.</summary>
    public static readonly IReadOnlyList<(string Code, string Name, Language Language)> Languages =
        [("en", "English", Language.English), ("de", "Deutsch", Language.German)];

    /// <summary>As HTML names the language.</summary>
    public string Code => Languages.First(one => one.Language == language).Code;

    public string SkipToContent => Say("Skip to the content", "Zum Inhalt");
    public string Pages => Say("Pages", "Seiten");
    public string Overview => Say("Overview", "Übersicht");
    public string SignOut => Say("Sign out", "Abmelden");
    public string Settings => Say("Settings", "Einstellungen");
    public string Theme => Say("Theme", "Darstellung");
    public string ThemeAsSystem => Say("As the system", "Wie das System");
    public string ThemeLight => Say("Light", "Hell");
    public string ThemeDark => Say("Dark", "Dunkel");
    public string LanguageName => Say("Language", "Sprache");
    public string Close => Say("Close", "Schließen");
    public string Keys => Say("Keys", "Tasten");
    public string KeyFind => Say("find", "suchen");
    public string KeyDown => Say("next row", "nächste Zeile");
    public string KeyUp => Say("row before", "vorige Zeile");
    public string KeyOpen => Say("open the row, or what is chosen in a chart",
        "die Zeile öffnen, oder das im Diagramm Gewählte");
    public string KeyChart => Say("move along a focused chart", "im Diagramm bewegen, wenn es den Fokus hat");
    public string KeyHelp => Say("show this list", "diese Liste");

    public string Product => Say("Product", "Produkt");
    public string Action => Say("Action", "Aktion");
    public string Fingerprint => Say("Fingerprint", "Fingerprint");
    public string Fingerprints => Say("Fingerprints", "Fingerprints");
    public string Sessions => Say("Sessions", "Sitzungen");

    public string ExactAsOf => Say("Exact as of", "Genau mit Stand");
    public string ExactMeans => Say(
        "every event acknowledged before is counted once.", "jedes vorher bestätigte Ereignis ist einmal gezählt.");
    public string TimesAreThoseOf(string zone) => Say($"Times are those of {zone}.", $"Zeiten sind die von {zone}.");
    public string Open => Say(
        "Everyone who reaches this address sees these numbers. To ask for a key, start Tally with",
        "Wer diese Adresse erreicht, sieht diese Zahlen. Damit nach einem Schlüssel gefragt wird, starte Tally mit");
    public string NoAnswer => Say(
        "The server does not answer. Trying again.", "Der Server antwortet nicht. Neuer Versuch folgt.");

    public string NotAnswered => Say("No answer in time", "Keine Antwort in der Zeit");
    public string NotAnsweredWhy => Say(
        "The database is busy or away, or others are asking much. This page tries again by itself. Nothing is lost: an "
        + "event is acknowledged only once it is recorded.",
        "Die Datenbank ist beschäftigt oder nicht da, oder andere fragen viel. Diese Seite versucht es selbst wieder. "
        + "Nichts ist verloren: ein Ereignis wird erst bestätigt, wenn es gespeichert ist.");
    public string NotFound => Say("There is no such page", "Diese Seite gibt es nicht");
    public string BackToOverview => Say("Go to the overview", "Zur Übersicht");
    public string NotPossible => Say("That cannot be shown", "Das lässt sich nicht zeigen");

    private string Say(string english, string german) => language == Language.German ? german : english;

    /// <summary>The first language that a browser asks for; English if it asks for none of these.</summary>
    internal static Language LanguageFor(RequestHeaders headers) =>
        headers.AcceptLanguage.Where(one => one.Quality is not 0).OrderByDescending(one => one.Quality ?? 1)
            .Select(one => CodeOf(one.Value.Value)).Select(Find).FirstOrDefault(found => found is not null)
        ?? Language.English;

    /// <summary>The language of a code.</summary>
    internal static Language? Find(string? code)
    {
        foreach (var one in Languages)
            if (one.Code == code) return one.Language;
        return null;
    }

    private static string CodeOf(string? range) => (range ?? "").Split('-')[0].ToLowerInvariant();
}
