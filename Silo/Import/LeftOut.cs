using System.Globalization;

namespace Tally.Silo.Import;

/// <summary>How much an import leaves out on purpose, by kind.</summary>
internal sealed class LeftOut
{
    private readonly OrderedDictionary<string, long> counts = [];
    private readonly Lock gate = new(); // the progress is shown while it goes on

    public void Add(string kind)
    {
        lock (gate) counts[kind] = counts.GetValueOrDefault(kind) + 1;
    }

    /// <returns>Nothing if nothing is left out.</returns>
    public override string ToString()
    {
        lock (gate)
            return counts.Count == 0 ? ""
                : "; left out: " + string.Join(", ", counts.Select(one =>
                    string.Create(CultureInfo.InvariantCulture, $"{one.Value} {one.Key}")));
    }
}
