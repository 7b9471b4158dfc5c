using Tally.Silo.Http.Trackers;

namespace Tally.Silo.Import.Tools;

/// <summary>GA4's export to BigQuery, as the newline-delimited JSON that BigQuery writes.</summary>
internal sealed class Ga4Events(ToolSettings settings) : ToolFormat
{
    private readonly Ga4Mapping mapping = new(settings);

    public override IEnumerable<Item> Parse(Record record) =>
        [TrackerJson.Parse(record.Text!.Value.Span, out var json) is { } malformed
            ? Item.Malformed(record.Line, malformed.Detail) : mapping.Parse(record.Line, json)];
}
