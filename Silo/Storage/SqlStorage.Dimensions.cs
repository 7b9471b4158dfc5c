using System.Data.Common;
using Tally.Grains.EventLog;

namespace Tally.Silo.Storage;

/// <summary>Counts by the values of events' properties.</summary>
public abstract partial class SqlStorage
{
    private readonly string readDimensionSets = scripts["read_dimension_sets"];
    private readonly string addDimensionSet = scripts["add_dimension_set"];
    private int valuesMax = int.MaxValue;

    /// <summary>What the events that are recorded here are counted by.</summary>
    public DimensionSet Counted { get; private set; } = DimensionSet.None;

    /// <summary>From now on, events are counted by these of their properties.</summary>
    /// <param name="names">Names of properties, without commas.</param>
    /// <param name="dailyValuesMax">Values of a dimension and product on a day.</param>
    public async Task CountBy(IEnumerable<string> names, int dailyValuesMax)
    {
        valuesMax = dailyValuesMax;
        var text = string.Join(',', names.Order(StringComparer.Ordinal));
        if (text.Length == 0) return;
        await Query(addDimensionSet, _ => 0, Parameter("names", text));
        Counted = (await ReadDimensionSets()).Values.Single(set => string.Join(',', set.Names) == text);
    }

    private async Task<Dictionary<int, DimensionSet>> ReadDimensionSets() =>
        (await Query(readDimensionSets, row => new DimensionSet(row.GetInt16(0), row.GetString(1).Split(','))))
            .ToDictionary(set => set.Id);

    private DbParameter[] MergeParameters(int limit) => [Parameter("limit", limit), Parameter("values_max", valuesMax)];
}
