using System.Globalization;
using System.Text.Json;
using Tally.Silo.Http.Batches;

namespace Tally.Silo.Http.Trackers.Ga4;

/// <summary>One of the events of a request.</summary>
/// <param name="Request">What it says of the visitor holds for each of its events.</param>
internal sealed record Ga4Event(JsonElement Request, JsonElement Event)
{
    private const string PageView = "page_view", Time = "timestamp_micros";

    // The years 1973 to 5138, as in Timestamp. A number outside of them is most likely in another unit.
    private const double MicrosecondsMin = 1e14, MicrosecondsEnd = 1e17;

    // Before the earliest time of any event, also of history.
    private const string OutOfRange = "0001-01-01T00:00:00Z";

    // Of a page, they have other names in the properties.
    private static readonly string[] Renamed = ["page_location", "page_referrer", "page_title", "screen_resolution"];

    // What nobody keeps: addresses and user agents.
    private static readonly string[] NotKept = ["ip_override", "user_agent"];

    /// <returns>The event's fields, unchecked, or why it is refused.</returns>
    public BatchItem ToItem(string? product, bool isHistory)
    {
        if (Event.ValueKind != JsonValueKind.Object) return new(null, Refusal.MalformedEvent());
        if (Event.Text("name") is not { } name) return new(null, Refusal.MissingField("name"));
        var microseconds = Event.Text(Time) ?? Request.Text(Time);
        if (!TryParseTime(microseconds, out var time)) return new(null, InvalidTime());
        var client = Request.Text("client_id", "app_instance_id");
        var user = Request.Text("user_id");
        return new(new()
        {
            Action = name == PageView ? EventFields.PageView : name,
            Product = product,
            Fingerprint = client ?? user,
            Timestamp = time,
            ClientTimestamp = microseconds,
            Properties = PropertiesOf(client is null ? null : user),
            IsHistory = isHistory,
            CountsOnArrival = true,
        }, null);
    }

    /// <param name="refusal">The event's.</param>
    /// <param name="index">The event's place in the request, from 0.</param>
    public Ga4Fault ToFault(Refusal refusal, int index) =>
        new(PathTo(refusal.Field, $"events[{index}]"), refusal.Detail, refusal.Reason);

    // The visitor, the product and perhaps the time are the request's.
    private string PathTo(string? field, string place) => field switch
    {
        null => place,
        "fingerprint" => "client_id",
        "product" => "measurement_id",
        Time when Event.Text(Time) is null => Time,
        "action" => $"{place}.name",
        "properties" => $"{place}.params",
        _ => $"{place}.{field}",
    };

    // Some programs send a float. It is exact to the microsecond until the year 2255.
    private static bool TryParseTime(string? microseconds, out string? time)
    {
        time = null;
        if (microseconds is null) return true;
        const NumberStyles style =
            NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        if (!double.TryParse(microseconds, style, CultureInfo.InvariantCulture, out var number)
            || !double.IsFinite(number)) return false;
        time = number is >= MicrosecondsMin and < MicrosecondsEnd
            ? DateTime.UnixEpoch.AddTicks((long)number * TimeSpan.TicksPerMicrosecond)
                .ToString("O", CultureInfo.InvariantCulture)
            : OutOfRange;
        return true;
    }

    private static Refusal InvalidTime() => Refusal.InvalidTimestamp() with
    {
        Field = Time,
        Detail = $"The field {Time} must be a number of microseconds since 1970.",
    };

    private string? PropertiesOf(string? user)
    {
        var parameters = Event.Member("params");
        var properties = new TrackerProperties();
        if (parameters.ValueKind == JsonValueKind.Object)
            foreach (var parameter in parameters.EnumerateObject())
                if (!NotKept.Contains(parameter.Name) && !Renamed.Contains(parameter.Name))
                    properties.Add(parameter.Name, parameter.Value);
        properties.AddPage(PageUrl.Parse(parameters.Text("page_location")), parameters.Text("page_referrer"));
        properties.Add("title", parameters.Text("page_title"));
        properties.AddScreen(parameters.Text("screen_resolution"));
        properties.Add("user_id", user);
        properties.Add("user_properties", Request.Member("user_properties"));
        return properties.ToJson();
    }
}
