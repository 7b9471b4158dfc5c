using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml;
using Tally.Contracts;
using Tally.Grains.Rules;
using Tally.Silo.Http;

namespace Tally.Silo.Pages.Rules;

/// <summary>A rule as the page's form has it: every field as it was typed.</summary>
public sealed partial record RuleForm
{
    public const string First = "first", Every = "every", Times = "times", Then = "then", Without = "without",
        Silence = "silence";

    public static readonly IReadOnlyList<string> Kinds = [First, Every, Times, Then, Without, Silence];
    public static readonly IReadOnlyList<string> Frequencies = ["once", "daily", "each"];

    public static RuleForm Empty { get; } = new();

    public string? Name { get; init; }
    public string? Product { get; init; }
    public string? Action { get; init; }
    public string? Property { get; init; }
    public string? Is { get; init; }
    public string When { get; init; } = First;
    public string? Number { get; init; }
    public string? Within { get; init; }
    public string? OtherProduct { get; init; }
    public string? OtherAction { get; init; }
    public string How { get; init; } = Frequencies[0];
    public string? Url { get; init; }
    public bool IsOrdered { get; init; }

    public static RuleForm Parse(IFormCollection form) => new()
    {
        Name = form.One("name"),
        Product = form.One("product"),
        Action = form.One("action"),
        Property = form.One("property"),
        Is = form.One("is"),
        When = form.One("when") is { } kind && Kinds.Contains(kind) ? kind : First,
        Number = form.One("number"),
        Within = form.One("within"),
        OtherProduct = form.One("otherProduct"),
        OtherAction = form.One("otherAction"),
        How = form.One("how") is { } how && Frequencies.Contains(how) ? how : Frequencies[0],
        Url = form.One("url"),
        IsOrdered = form.One("ordered") is not null,
    };

    /// <summary>Reads it as the API reads the same rule.</summary>
    public RuleFault? ToRule(Limits limits, out RuleDefinition? rule)
    {
        using var json = JsonSerializer.SerializeToDocument(ToJson());
        return RuleReader.Read(json.RootElement, limits, out rule);
    }

    // What is not filled in is left out, so that the reader says that it is missing.
    private Dictionary<string, object> ToJson()
    {
        var when = new Dictionary<string, object> { ["event"] = Pattern(Product, Action, Property, Is) };
        var within = Filled(("within", Duration(Within)));
        when[When is Then or Without or Silence ? When : "count"] = When switch
        {
            Every => Filled(("every", Value(Number))),
            Times => Filled([("times", Value(Number)), .. Pairs(within)]),
            Then or Without => Filled(
                [("event", Pattern(OtherProduct ?? Product, OtherAction, null, null)), .. Pairs(within)]),
            Silence => within,
            _ => First,
        };
        return Filled(("when", when), ("how", How),
            ("webhook", Url is null ? null : Filled(("url", Url), ("ordered", IsOrdered))));
    }

    private static Dictionary<string, object> Pattern(
        string? product, string? action, string? property, string? value) =>
        Filled(("product", product), ("action", action), ("where", property is null && value is null ? null
            : new[] { Filled(("property", property), ("is", Value(value))) }));

    private static Dictionary<string, object> Filled(params IEnumerable<(string Name, object? Value)> members) =>
        members.Where(member => member.Value is not null).ToDictionary(member => member.Name, member => member.Value!);

    private static IEnumerable<(string, object?)> Pairs(Dictionary<string, object> members) =>
        members.Select(member => (member.Key, (object?)member.Value));

    // A number, true and false stand for themselves; anything else is text.
    private static object? Value(string? text)
    {
        if (text is null || !Literal().IsMatch(text)) return text;
        using var json = JsonDocument.Parse(text);
        return json.RootElement.Clone();
    }

    // 30m, 12h and 7d as in a funnel's form; anything else as the API takes it.
    private static string? Duration(string? text) =>
        text is not null && ShortDuration.Parse(text, TimeSpan.MaxValue.Days) is { } time ? XmlConvert.ToString(time)
            : text;

    [GeneratedRegex("^(true|false|-?(0|[1-9][0-9]{0,15})([.][0-9]{1,15})?)$")]
    private static partial Regex Literal();
}
