using Tally.Contracts;
using Tally.Silo.Http.Derived;
using Tally.Silo.Http.Json;
using Tally.Silo.Http.Trackers.GoatCounter;

namespace Tally.Silo.Import.Tools;

/// <summary>GoatCounter's CSV export: a row for each page view and event, without an id and without the site.</summary>
internal sealed class GoatCounterExport(ToolSettings settings, CsvTable table) : ToolTable(
    table, "GoatCounter's export", "Path", "Event", "Session", "Bot", "Referrer", "Referrer scheme", "Date")
{
    private readonly string product = settings.RequiredProduct("GoatCounter's export");
    private readonly RowIds ids = new();

    // The export's version stands before the first name, as in 2Path.
    public static bool IsHeader(List<string> names) =>
        names is [var first, ..] && NameOf(first) == "Path" && names.Contains("FirstVisit")
        && names.Contains("Referrer scheme");

    protected override Item Parse(Record record, ToolRow row)
    {
        if (row["Bot"] is not (null or "0")) return Item.LeftOut(record.Line, "of bots"); // GoatCounter counts none
        if (row["Path"] is not { } path) return Item.Malformed(record.Line, "The row has no Path.");
        var referrer = row["Referrer"];
        if (row["Referrer scheme"] == "h" && referrer is not null) referrer = "https://" + referrer;
        var (fields, refusal) = GoatCounterHit.Parse(new Dictionary<string, string>
        {
            ["p"] = path,
            ["e"] = row["Event"] ?? "",
            ["t"] = row["Title"] ?? "",
            ["r"] = OtherSite.Referrer(referrer, product) ?? "",
            ["s"] = row["Screen size"] ?? "",
        }, product, product);
        if (fields is null) return Item.Malformed(record.Line, $"{refusal!.Reason}: {refusal.Detail}");
        fields.Fingerprint = row["Session"];
        fields.Id = ids.Create(record.Text!.Value.Span);
        fields.Timestamp = row["Date"];
        List<(string, string)> more = [];
        if (row["UserAgent"] is { } agent) // only older exports have it
            more =
            [
                (EventProperties.Browser, UserAgent.BrowserOf(agent)),
                (EventProperties.System, UserAgent.SystemOf(agent)),
                (EventProperties.Device, UserAgent.DeviceOf(agent)),
            ];
        else
        {
            if (row["Browser"] is { } browser) more.Add((EventProperties.Browser, WithoutVersion(browser)));
            if (row["System"] is { } system) more.Add((EventProperties.System, SystemOf(system)));
        }
        if (row["Location"] is { } location) more.Add(("location", location));
        if (more.Count > 0) fields.Properties = PropertiesJson.WithMissing(fields.Properties, more);
        return Item.From(record.Line, fields);
    }

    // As they are called that are made of a user agent. A version of Windows may be a word, as in Windows XP.
    private static string SystemOf(string system) =>
        system == "Chrome OS" ? "ChromeOS"
        : system.StartsWith("Windows ", StringComparison.Ordinal) ? "Windows"
        : WithoutVersion(system);

    private static string WithoutVersion(string name) =>
        name.LastIndexOf(' ') is var at and > 0 && name.AsSpan(at + 1) is [>= '0' and <= '9', ..] ? name[..at] : name;
}
