using Tally.Grains.EventLog;
using Tally.Silo.Settings;

namespace Tally.Silo.Http.Breakdowns;

/// <summary>What a question may ask by.</summary>
/// <param name="properties">The properties by whose values this service counts.</param>
/// <param name="derived">What it adds to them. A property of the same name cannot be asked for.</param>
internal sealed class Dimensions(IReadOnlyList<string> properties, DerivedSettings derived)
{
    private readonly Dictionary<string, string> known = derived.All
        .Select(name => (Name: name, Property: DerivedSettings.Properties[name]))
        .Concat(properties.Select(name => (Name: name, Property: name)))
        .DistinctBy(one => one.Name).ToDictionary();

    public IEnumerable<string> Names => known.Keys;

    /// <summary>Finds a dimension by its name.</summary>
    /// <returns>Why it is refused, or null.</returns>
    public Refusal? Find(string field, string name, out string property)
    {
        property = known.GetValueOrDefault(name, "");
        return property.Length > 0 ? null : Refusal.UnknownDimension(field, [.. known.Keys]);
    }

    /// <summary>Values of properties, by the names of their dimensions.</summary>
    public SortedDictionary<string, string> Named(IReadOnlyDictionary<string, string> values) => new(
        known.Where(one => values.ContainsKey(one.Value)).ToDictionary(one => one.Key, one => values[one.Value]),
        StringComparer.Ordinal);

    /// <summary>The property of a dimension, or else of this name.</summary>
    public string PropertyOf(string name) => known.GetValueOrDefault(name, name);

    /// <summary>Parses a filter, a dimension and a value with a colon between.</summary>
    /// <param name="filter">Null for none.</param>
    /// <returns>Why it is refused, or null.</returns>
    public Refusal? ParseFilter(string? filter, out DimensionValue? value)
    {
        value = null;
        if (filter is null) return null;
        var colon = filter.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0 || colon == filter.Length - 1) return Refusal.InvalidFilter();
        if (Find("filter", filter[..colon], out var property) is { } unknown) return unknown;
        value = new(property, DimensionSet.Cut(filter[(colon + 1)..]));
        return null;
    }
}
