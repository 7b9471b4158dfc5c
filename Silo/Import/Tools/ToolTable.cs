using Tally.Silo.Storage;

namespace Tally.Silo.Import.Tools;

/// <summary>A row of a tool's CSV file, whose cells are found by their columns' names.</summary>
internal readonly struct ToolRow(Dictionary<string, int> columns, List<string> cells)
{
    /// <summary>The cell's text; null if it is empty, a database's null, or missing.</summary>
    public string? this[string name] =>
        columns.TryGetValue(name, out var column) && cells[column] is var cell
            && cell is not ("" or @"\N" or "NULL" or "null") ? cell : null;
}

/// <summary>A format that is a CSV file.</summary>
internal abstract class ToolTable : ToolFormat
{
    private readonly CsvTable table;
    private readonly Dictionary<string, int> columns = [];

    /// <param name="tool">For the message.</param>
    /// <param name="required">Columns without which it is no such export.</param>
    /// <exception cref="StartupException">A column is missing, or there twice.</exception>
    protected ToolTable(CsvTable table, string tool, params ReadOnlySpan<string> required)
    {
        this.table = table;
        foreach (var (column, name) in table.Names.Index())
            if (!columns.TryAdd(NameOf(name), column) && required.Contains(NameOf(name)))
                throw new StartupException($"the header: {SourceName.Shown(name)} is there twice");
        foreach (var name in required)
            if (!columns.ContainsKey(name))
                throw new StartupException($"the header has no column {name}, as {tool} has it");
    }

    public sealed override bool HasHeader => true;

    protected IReadOnlyDictionary<string, int> Columns => columns;

    public sealed override IEnumerable<Item> Parse(Record record) =>
        [table.Parse(record, out var problem) is { } cells ? Parse(record, new(columns, cells))
            : Item.Malformed(record.Line, problem!)];

    protected abstract Item Parse(Record record, ToolRow row);

    /// <summary>The name of a column without what a tool adds to it.</summary>
    protected static string NameOf(string column) => column.TrimStart([.. "0123456789"]);
}
