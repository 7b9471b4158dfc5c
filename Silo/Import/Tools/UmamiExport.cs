namespace Tally.Silo.Import.Tools;

/// <summary>
/// Umami's export of <c>website_event</c> as CSV. The events' own properties are in another file, and do not come
/// along.
/// </summary>
internal sealed class UmamiExport(ToolSettings settings, CsvTable table) : ToolTable(
    table, "Umami's website_event.csv", Required)
{
    private static readonly string[] Required =
        ["website_id", "session_id", "event_id", "url_path", "event_name", "created_at"];

    public static bool IsHeader(List<string> names) => Required.All(names.Contains);

    protected override Item Parse(Record record, ToolRow row) =>
        UmamiRow.Parse(record.Line, name => row[name], data: null, settings.Product);
}
