using System.Text.Json;

namespace Tally.Grains.Rules;

/// <summary>One version of a rule, as the database keeps it: it never changes.</summary>
/// <param name="Id">Of this version, among all versions of all rules.</param>
/// <param name="Name">What people call it.</param>
/// <param name="Version">From 1; the next version of the same name has the next number.</param>
/// <param name="Definition">What it says.</param>
public sealed record Rule(int Id, string Name, int Version, RuleDefinition Definition);

/// <summary>What a rule says.</summary>
/// <param name="Event">The events that it is about.</param>
/// <param name="Kind">When it fires.</param>
/// <param name="Number">How many, of <see cref="RuleKind.Every"/> and <see cref="RuleKind.Times"/>; else 0.</param>
/// <param name="Within">The window, if its kind has one.</param>
/// <param name="Other">The events that must follow, or must not; null if its kind has none.</param>
/// <param name="How">How often it fires for one fingerprint; of <see cref="RuleKind.Silence"/>, in all.</param>
/// <param name="Webhook">Who is told; null if firings are only recorded.</param>
public sealed record RuleDefinition(EventPattern Event, RuleKind Kind, int Number, TimeSpan Within,
    EventPattern? Other, RuleFrequency How, RuleWebhook? Webhook);

/// <summary>When a rule fires.</summary>
public enum RuleKind
{
    /// <summary>At the first event.</summary>
    First,
    /// <summary>At every nth event.</summary>
    Every,
    /// <summary>At the last of n events within the window. Then counting begins anew.</summary>
    Times,
    /// <summary>At another event that follows one within the window. The next firing needs a new first event.</summary>
    Then,
    /// <summary>When the window has passed, and no other event followed.</summary>
    Without,
    /// <summary>When no such event has occurred for the window, whatever its fingerprint.</summary>
    Silence,
}

/// <summary>How often a rule fires for one fingerprint, at most.</summary>
public enum RuleFrequency
{
    Once,
    /// <summary>Once a day of UTC, whose days no setting changes.</summary>
    Daily,
    Each,
}

/// <summary>Which events a clause is about.</summary>
/// <param name="Where">All of these must hold.</param>
public sealed record EventPattern(string Product, string Action, IReadOnlyList<PropertyFilter> Where);

/// <summary>An event's property has a value.</summary>
/// <param name="Property">The name of a top-level property.</param>
/// <param name="Is">A text, a number or a boolean.</param>
public sealed record PropertyFilter(string Property, JsonElement Is);

/// <summary>Where firings go.</summary>
/// <param name="Ordered">Those of one fingerprint, one after another.</param>
public sealed record RuleWebhook(string Url, bool Ordered);
