using Tally.Contracts;
using Tally.Silo.Http.Batches;

namespace Tally.Silo.Http.Trackers.CloudEvents;

/// <summary>
/// The event that a CloudEvent is: its type is the action, its source the product. The fingerprint is the extension
/// attribute of that name, or else the subject.
/// </summary>
/// <param name="Attributes">By name, as texts.</param>
/// <param name="Data">As properties.</param>
/// <param name="DataIsJson">Whether the data is JSON, so that its content type says nothing more.</param>
internal sealed record CloudEvent(IReadOnlyDictionary<string, string> Attributes, TrackerProperties Data,
    bool DataIsJson)
{
    private const string Version = "1.0";

    // What becomes a field of its own, or says only how the rest is written.
    private static readonly string[] Fields = ["specversion", "id", "type", "time", "fingerprint"];

    /// <returns>The event's fields, unchecked, or why it is refused.</returns>
    public BatchItem ToItem(HttpContext sender, Limits limits)
    {
        if (Attributes.Keys.Any(name => !name.All(IsInName)))
            return Refused(Refusal.MalformedBody("An attribute's name consists of lower-case letters and digits."));
        if (Text("specversion") is not { } version) return Refused(Refusal.MissingField("specversion"));
        if (version != Version) return Refused(Refusal.UnknownValue("specversion", Version));
        var (id, source, type) = (Text("id"), Text("source"), Text("type"));
        if ((EventFields.CheckText("source", source, limits.ProductBytesMax)
            ?? EventFields.CheckId("id", id ?? "", int.MaxValue)
            ?? EventFields.CheckText("type", type, limits.ActionBytesMax)) is { } invalid) return Refused(invalid);
        if (TrackerIntake.FindProduct(sender, null, source, out var product) is { } closed) return Refused(closed);
        var fields = new EventFields
        {
            Action = type,
            Product = product,
            Fingerprint = Text("fingerprint") ?? Text("subject"),
            Id = CloudEventId.Create(source!, id!, limits),
            Timestamp = Text("time"),
            IsHistory = TrackerIntake.MayWriteHistory(sender),
            CountsOnArrival = true,
        };
        foreach (var (name, value) in Attributes)
            if (IsKept(name, value, fields)) Data.Add(name, value);
        fields.Properties = Data.ToJson();
        return new(fields, null);
    }

    private static bool IsInName(char one) => char.IsAsciiLetterLower(one) || char.IsAsciiDigit(one);

    private bool IsKept(string name, string value, EventFields fields) => !Fields.Contains(name) && name switch
    {
        "source" => value != fields.Product,
        "subject" => value != fields.Fingerprint,
        "datacontenttype" => !DataIsJson,
        _ => true,
    };

    private string? Text(string name) => Attributes.GetValueOrDefault(name) is { Length: > 0 } text ? text : null;

    private static BatchItem Refused(Refusal refusal) => new(null, refusal);
}
