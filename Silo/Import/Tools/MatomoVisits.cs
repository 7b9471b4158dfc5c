using System.Globalization;
using System.Text.Json;
using Tally.Silo.Http.Trackers;
using Tally.Silo.Http.Trackers.Matomo;

namespace Tally.Silo.Import.Tools;

/// <summary>
/// Matomo's log, as <c>Live.getLastVisitsDetails</c> answers it: a JSON array of visits with their actions, or one
/// visit a line. Each action is made the tracking request that it had come with.
/// </summary>
internal sealed class MatomoVisits(ToolSettings settings) : ToolFormat
{
    public override IEnumerable<Item> Parse(Record record)
    {
        if (TrackerJson.Parse(record.Text!.Value.Span, out var visit) is { } malformed)
            return [Item.Malformed(record.Line, malformed.Detail)];
        if (visit.Text("idVisit") is not { } id || visit.Text("idSite") is not { } site
            || visit.Member("actionDetails") is not { ValueKind: JsonValueKind.Array } actions)
            return [Item.Malformed(record.Line, visit.Text("message") is { } message
                ? $"This is no visit, but says: {SourceName.Shown(message)}"
                : "This is no visit with idSite, idVisit and actionDetails.")];
        return actions.EnumerateArray().Select((action, place) => Parse(record.Line, visit, action, site,
            string.Create(CultureInfo.InvariantCulture, $"matomo {site} {id} {place}"), isFirst: place == 0)).ToList();
    }

    private Item Parse(long line, JsonElement visit, JsonElement action, string site, string id, bool isFirst)
    {
        var sent = new Dictionary<string, string> { ["rec"] = "1", ["idsite"] = site };
        Add("_id", visit.Text("visitorId"));
        Add("uid", visit.Text("userId"));
        Add("cdt", action.Text("timestamp"));
        Add("lang", visit.Text("languageCode"));
        Add("res", visit.Text("resolution"));
        Add("action_name", action.Text("pageTitle"));
        Add("pv_id", action.Text("idpageview"));
        if (isFirst) Add("urlref", visit.Text("referrerUrl"));
        foreach (var source in (ReadOnlySpan<JsonElement>)[action, visit])
            if (source.ValueKind == JsonValueKind.Object)
                foreach (var member in source.EnumerateObject())
                    if (member.Name.StartsWith("dimension", StringComparison.Ordinal))
                        Add(member.Name, member.Value.Text());
        if (!AddKind(action, Add)) return Item.LeftOut(line, "of kinds that have no event here");
        if (!sent.ContainsKey("cdt")) return Item.Malformed(line, "An action has no timestamp.");
        var (fields, refusal) =
            MatomoRequest.Parse(sent, settings.Product, isHistory: true, now: DateTimeOffset.UnixEpoch);
        if (fields is null) return Item.Malformed(line, $"{refusal!.Reason}: {refusal.Detail}");
        fields.Id = id;
        return Item.From(line, fields);

        void Add(string name, string? value)
        {
            if (value is not null) sent.TryAdd(name, value);
        }
    }

    private static bool AddKind(JsonElement action, Action<string, string?> add)
    {
        var url = action.Text("url");
        var kind = action.Text("type");
        if (kind == "download") add("download", url);
        else if (kind == "outlink") add("link", url);
        else add("url", url);
        switch (kind)
        {
            case "action" or "download" or "outlink":
                return true;
            case "event":
                add("e_c", action.Text("eventCategory"));
                add("e_a", action.Text("eventAction"));
                add("e_n", action.Text("eventName"));
                add("e_v", action.Text("eventValue"));
                return true;
            case "search":
                add("search", action.Text("siteSearchKeyword"));
                add("search_cat", action.Text("siteSearchCategory"));
                add("search_count", action.Text("siteSearchCount"));
                return true;
            case "goal":
                add("idgoal", action.Text("goalId"));
                add("revenue", action.Text("revenue"));
                return true;
            case "ecommerceOrder" or "ecommerceAbandonedCart":
                add("idgoal", "0");
                add("ec_id", action.Text("orderId"));
                add("revenue", action.Text("revenue"));
                return true;
            default:
                return false;
        }
    }
}
