using Tally.Grains.Rules;
using Tally.Silo.Http.Rules;

namespace Tally.Silo.Pages.Words;

/// <summary>Rules and what they did.</summary>
public sealed partial class Texts
{
    public string Rules => Say("Rules", "Regeln");
    public string Rule => Say("Rule", "Regel");
    public string RulesMean => Say(
        "A rule fires when a fingerprint does something. Each firing is recorded together with its event, exactly "
        + "once, and can be sent to a webhook.",
        "Eine Regel löst aus, wenn ein Fingerprint etwas tut. Jedes Auslösen wird zusammen mit seinem Ereignis genau "
        + "einmal gespeichert und kann an einen Webhook gehen.");
    public string When => Say("When", "Wann");
    public string HowOften => Say("How often", "Wie oft");
    public string Tells => Say("Tells", "Meldet an");
    public string InForceSince => Say("In force since", "In Kraft seit");
    public string OnlyRecorded => Say("only recorded", "nur gespeichert");
    public string TellsHost(string host) => Say($"It tells {host}.", $"Sie meldet an {host}.");
    public string Disabled => Say("wants no more", "will nichts mehr");
    public string DisabledMeans => Say("Its receiver answered 410: it is sent nothing more until the rule changes.",
        "Der Empfänger hat mit 410 geantwortet: Er bekommt nichts mehr, bis sich die Regel ändert.");
    public string NewRule => Say("A new rule, or a new version of one", "Eine neue Regel, oder eine neue Version");
    public string Property => Say("Property", "Eigenschaft");
    public string IsValue => Say("is", "ist");
    public string OtherProduct => Say("Other product", "Anderes Produkt");
    public string OtherAction => Say("Other action", "Andere Aktion");
    public string WebhookUrl => Say("Webhook", "Webhook");
    public string InOrder => Say("One after another", "Der Reihe nach");
    public string RuleKey => Say("Rule key", "Schlüssel für Regeln");
    public string PutInForce => Say("Put in force", "In Kraft setzen");
    public string RuleHelp => Say(
        "n and within: for every nth, and for n within a time (30m, 12h, 7d). The other action: for what must follow, "
        + "or must not. None, by anybody: for a product that falls silent. Leave out the webhook if firings are only "
        + "to be recorded. More filters: PUT /api/rules.",
        "n und innerhalb: für jedes n-te, und für n innerhalb einer Zeit (30m, 12h, 7d). Die andere Aktion: für das, "
        + "was folgen muss, oder nicht darf. Keines, von niemandem: für ein Produkt, das verstummt. Ohne Webhook "
        + "wird das Auslösen nur gespeichert. Mehr Filter: PUT /api/rules.");
    public string KindName(string kind) => kind switch
    {
        "first" => Say("at the first", "beim ersten"),
        "every" => Say("at every nth", "bei jedem n-ten"),
        "times" => Say("n within a time", "n innerhalb einer Zeit"),
        "then" => Say("then another one", "dann ein anderes"),
        "silence" => Say("none, by anybody", "keines, von niemandem"),
        _ => Say("and no other one", "und kein anderes"),
    };
    public string FrequencyName(RuleDefinition rule) =>
        rule is { Kind: RuleKind.Silence, How: RuleFrequency.Once } ? Say("once", "einmal")
            : FrequencyName(RuleReader.NameOf(rule.How));
    public string FrequencyName(string how) => how switch
    {
        "once" => Say("once a fingerprint", "einmal je Fingerprint"),
        "daily" => Say("once a day", "einmal am Tag"),
        _ => Say("each time", "jedes Mal"),
    };
    public string InWords(RuleDefinition rule)
    {
        var one = NameOf(rule.Event);
        var within = Length(rule.Within);
        return rule.Kind switch
        {
            RuleKind.First => Say($"the first {one}", $"das erste {one}"),
            RuleKind.Every => Say($"every {Number(rule.Number)}{OrdinalEnd(rule.Number)} {one}",
                $"jedes {Number(rule.Number)}. {one}"),
            RuleKind.Times => Say($"{Number(rule.Number)} \u00d7 {one} within {within}",
                $"{Number(rule.Number)} \u00d7 {one} innerhalb von {within}"),
            RuleKind.Then => Say($"{one}, then {NameOf(rule.Other!)} within {within}",
                $"{one}, dann {NameOf(rule.Other!)} innerhalb von {within}"),
            RuleKind.Silence => Say($"no {one} within {within}, by anybody",
                $"kein {one} innerhalb von {within}, von niemandem"),
            _ => Say($"{one}, and no {NameOf(rule.Other!)} within {within}",
                $"{one}, und kein {NameOf(rule.Other!)} innerhalb von {within}"),
        };
    }
    private static string OrdinalEnd(int number) => (number % 10, number % 100 / 10) switch
    {
        (1, not 1) => "st",
        (2, not 1) => "nd",
        (3, not 1) => "rd",
        _ => "th",
    };
    private string NameOf(EventPattern pattern) => string.Concat(
    [
        pattern.Action, Say(" in ", " in "), pattern.Product,
        .. pattern.Where.Select((filter, i) => $"{(i == 0 ? Say(" where ", ", wo ") : Say(" and ", " und "))}"
            + $"{filter.Property} {IsValue} {filter.Is}"),
    ]);

    public string Firings => Say("Firings", "Ausgelöst");
    public string Fired => Say("Fired", "Ausgelöst");
    public string FiringState => Say("State", "Stand");
    public string Nobodys => Say("nobody", "niemand");
    public string NoFirings => Say("None yet.", "Noch nichts.");
    public string StateName(string? state) => state switch
    {
        null => Say("All", "Alle"),
        "recorded" => Say("recorded", "gespeichert"),
        "pending" => Say("on its way", "unterwegs"),
        "delivered" => Say("delivered", "zugestellt"),
        _ => Say("parked", "geparkt"),
    };
    public string VersionOf(int version) => Say($"version {version}", $"Version {version}");
    public string Tries(FiringView firing) => string.Join(", ", ((string?[])
    [
        firing.Attempts > 0 ? firing.Attempts == 1 ? Say("1 try", "1 Versuch")
            : Say($"{firing.Attempts} tries", $"{firing.Attempts} Versuche") : null,
        firing.Problem,
    ]).OfType<string>());
    public string SendSample => Say("Send a sample", "Beispiel senden");
    public string SendParkedAgain => Say("Send parked ones again", "Geparkte noch einmal senden");
    public string MakeSecret => Say("Make a new secret", "Neues Geheimnis erzeugen");
    public string EndRule => Say("End the rule", "Regel beenden");
    public string RuleEnded => Say("This rule is not in force.", "Diese Regel ist nicht in Kraft.");
    public string SecretOf(string name) => Say($"The secret of {name}:", $"Das Geheimnis von {name}:");
    public string SecretIsToldOnce => Say("Keep it: it is not shown again.",
        "Hebe es auf: es wird nicht wieder gezeigt.");
    public string SampleWent(SampleAnswer sample) => sample.Delivered
        ? Say($"Delivered in {sample.Milliseconds} ms: the receiver answered {sample.Status}.",
            $"In {sample.Milliseconds} ms zugestellt: Der Empfänger antwortete {sample.Status}.")
        : Say($"Not delivered: {sample.Problem}", $"Nicht zugestellt: {sample.Problem}");
    public string SentAgain(int firings) => firings == 1 ? Say("1 is sent again.", "1 wird noch einmal gesendet.")
        : Say($"{Number(firings)} are sent again.", $"{Number(firings)} werden noch einmal gesendet.");
    public string NoRuleKey => Say("This is not a key that may change rules.",
        "Das ist kein Schlüssel, der Regeln ändern darf.");
}
