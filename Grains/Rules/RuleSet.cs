using System.Text.Json;
using Tally.Contracts;

namespace Tally.Grains.Rules;

/// <summary>
/// The rules that are in force together. Each event in the log names the set by which it was decided, so what it did
/// follows from its row alone, also if silos learn of a new set one after another.
/// </summary>
public sealed class RuleSet
{
    /// <summary>While there was never a rule. Events do not name it.</summary>
    public static readonly RuleSet None = new(0, []);

    // Deeper than any limit on what is recorded.
    private static readonly JsonDocumentOptions AnyDepth = new() { MaxDepth = 1_024 };

    private readonly Dictionary<(string Product, string Action), List<Clause>> clauses = [];
    private readonly Dictionary<int, Rule> byId;
    private readonly EventMarks unmatched;

    /// <param name="id">Its number; a later set has a higher one.</param>
    /// <param name="rules">In the order of their ids.</param>
    public RuleSet(int id, IReadOnlyList<Rule> rules)
    {
        (Id, Rules) = (id, rules);
        byId = rules.ToDictionary(rule => rule.Id);
        unmatched = new(this, []);
        foreach (var rule in rules)
        {
            if (rule.Definition.Kind == RuleKind.Silence) continue; // no event makes it fire
            Add(rule.Definition.Event, new(rule.Id, RuleMatch.First, rule.Definition.Event.Where));
            if (rule.Definition.Other is { } other) Add(other, new(rule.Id, RuleMatch.Other, other.Where));
        }
    }

    public int Id { get; }
    public IReadOnlyList<Rule> Rules { get; }

    public Rule? Find(int rule) => byId.GetValueOrDefault(rule);

    /// <summary>What an event matches; null for <see cref="None"/>. If no rule names the event, it costs one look-up.
    /// </summary>
    public EventMarks? Mark(Event e)
    {
        if (Id == 0) return null;
        if (!clauses.TryGetValue((e.Product, e.Action), out var named)) return unmatched;
        var properties = default(JsonDocument);
        try
        {
            if (e.Properties is not null && named.Exists(clause => clause.Where.Count > 0))
                properties = TryParse(e.Properties);
            var matches = new List<RuleMatch>(named.Count);
            foreach (var clause in named)
            {
                if (!clause.Matches(properties)) continue;
                // A rule's clauses stand together.
                if (matches.Count > 0 && matches[^1].Rule == clause.Rule)
                    matches[^1] = new(clause.Rule, matches[^1].Clauses | clause.Place);
                else matches.Add(new(clause.Rule, clause.Place));
            }
            return matches.Count == 0 ? unmatched : new(this, matches);
        }
        finally
        {
            properties?.Dispose();
        }
    }

    private void Add(EventPattern pattern, Clause clause)
    {
        var key = (pattern.Product, pattern.Action);
        if (!clauses.TryGetValue(key, out var named)) clauses.Add(key, named = []);
        named.Add(clause);
    }

    private static JsonDocument? TryParse(string properties)
    {
        try
        {
            return JsonDocument.Parse(properties, AnyDepth);
        }
        catch (JsonException)
        {
            return null; // not written by this program
        }
    }

    private sealed record Clause(int Rule, int Place, IReadOnlyList<PropertyFilter> Where)
    {
        public bool Matches(JsonDocument? properties)
        {
            foreach (var filter in Where)
                if (properties?.RootElement.ValueKind != JsonValueKind.Object
                    || !properties.RootElement.TryGetProperty(filter.Property, out var value)
                    || !AreEqual(value, filter.Is)) return false;
            return true;
        }

        private static bool AreEqual(JsonElement value, JsonElement wanted)
        {
            if (value.ValueKind != wanted.ValueKind) return false;
            try
            {
                return JsonElement.DeepEquals(value, wanted);
            }
            catch (Exception exception) when (exception is InvalidOperationException or ArgumentException)
            {
                return false; // a text or a number that no client can have meant
            }
        }
    }
}

/// <summary>Which clauses of a rule an event matches.</summary>
/// <param name="Rule">The id of the rule's version.</param>
/// <param name="Clauses"><see cref="First"/>, <see cref="Other"/> or both.</param>
public readonly record struct RuleMatch(int Rule, int Clauses)
{
    /// <summary>The event that a rule is about.</summary>
    public const int First = 1;

    /// <summary>The event that must follow, or must not.</summary>
    public const int Other = 2;
}

/// <summary>The rules by which an event was decided, and what of them it matches.</summary>
public sealed record EventMarks(RuleSet Set, IReadOnlyList<RuleMatch> Matches)
{
    /// <summary>A JSON array of [rule, clauses]; null for no match.</summary>
    public string? Text => Matches.Count == 0 ? null
        : $"[{string.Join(',', Matches.Select(match => $"[{match.Rule},{match.Clauses}]"))}]";

    /// <summary>Reads what <see cref="Text"/> wrote. What it did not write matches nothing, and a proof reports it.
    /// </summary>
    public static EventMarks Parse(RuleSet set, string? text)
    {
        if (text is null) return new(set, []);
        try
        {
            using var json = JsonDocument.Parse(text);
            return new(set, [.. json.RootElement.EnumerateArray()
                .Select(match => new RuleMatch(match[0].GetInt32(), match[1].GetInt32()))]);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException
            or IndexOutOfRangeException)
        {
            return new(set, []);
        }
    }
}
