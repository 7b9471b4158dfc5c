using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Tally.Silo.Http.Batches;

namespace Tally.Silo.Http.Trackers.Otlp;

/// <summary>
/// POST /v1/logs: OTLP over HTTP. Log records with an event's name become events. The others are rejected in the answer
/// of success, as the protocol has it: whoever sends them must not send them again.
/// </summary>
internal static class OtlpEndpoint
{
    private const string Protobuf = "application/x-protobuf", Json = "application/json";

    public static void MapOtlp(this IEndpointRouteBuilder routes) => routes.MapPost("/v1/logs", Post);

    private static async Task<IResult> Post(HttpContext context, TrackerIntake intake)
    {
        var isJson = RequestBody.MediaTypeOf(context.Request) == Json;
        var (body, unread) = await intake.ReadBody(context.Request, intake.Limits.BatchBodyBytesMax, Protobuf, Json);
        if (body is null) return unread!;
        if ((isJson ? TrackerJson.Parse(body, out var json) : OtlpProtobuf.Parse(body, out json)) is { } malformed)
            return malformed;
        if (TrackerIntake.FindProduct(context, null, null, out var ofKey) is { } closed) return closed;

        var events = new List<(OtlpEvent Event, string? Product, string Id)>();
        var ids = new Dictionary<string, int>();
        var others = 0;
        foreach (var logs in Items(json, "resourceLogs"))
        {
            var resource = OtlpEvent.AttributesIn(logs.Member("resource"));
            var product = ofKey ?? resource.GetValueOrDefault("service.name").Text();
            foreach (var record in Items(logs, "scopeLogs").SelectMany(scope => Items(scope, "logRecords")))
                if (OtlpEvent.From(resource, record) is { } found)
                    events.Add((found, product, IdOf(logs, record, ids)));
                else others++;
        }
        var isHistory = TrackerIntake.MayWriteHistory(context);
        var (receipt, refusal) = await intake.RecordAll(events,
            one => new BatchItem(one.Event.ToFields(one.Product, isHistory, one.Id), null), context);
        if (refusal is not null && receipt.Refused.Count == 0) return refusal; // too many
        if (refusal is { Status: StatusCodes.Status503ServiceUnavailable }) return refusal;
        return Answer(others + receipt.Refused.Count, others, receipt, isJson);
    }

    private static JsonElement.ArrayEnumerator Items(JsonElement json, string name) =>
        json.Member(name) is { ValueKind: JsonValueKind.Array } items ? items.EnumerateArray() : default;

    // An exporter sends a request again with the same bytes, and no record has an id. So a record's content is its id,
    // with its place among equal ones of the request.
    private static string IdOf(JsonElement logs, JsonElement record, Dictionary<string, int> ids)
    {
        var content = $"{logs.Member("resource")}\n{record}";
        var hash = Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(content)));
        var place = ids[hash] = ids.GetValueOrDefault(hash) + 1;
        return $"otlp:{hash}/{place}";
    }

    private static IResult Answer(int rejected, int others, BatchReceipt receipt, bool isJson)
    {
        var message = rejected == 0 ? ""
            : $"{others} records have no event name. {receipt.Refused.Count} events are refused"
                + (receipt.Refused is [var first, ..] ? $", the first for {first.Reason}: {first.Detail}" : ".");
        if (isJson)
            return new JsonAnswer<OtlpAnswer>(
                new(rejected == 0 ? null : new($"{rejected}", message)), HttpJson.Default.OtlpAnswer);
        return TypedResults.Bytes(rejected == 0 ? [] : Encode(rejected, message), Protobuf);
    }

    // ExportLogsServiceResponse { partial_success = 1 { rejected_log_records = 1, error_message = 2 } }
    private static byte[] Encode(int rejected, string message)
    {
        using var inner = new MemoryStream();
        using (var output = new CodedOutputStream(inner, leaveOpen: true))
        {
            output.WriteTag(1, WireFormat.WireType.Varint);
            output.WriteInt64(rejected);
            output.WriteTag(2, WireFormat.WireType.LengthDelimited);
            output.WriteString(message);
        }
        using var whole = new MemoryStream();
        using (var output = new CodedOutputStream(whole, leaveOpen: true))
        {
            output.WriteTag(1, WireFormat.WireType.LengthDelimited);
            output.WriteBytes(ByteString.CopyFrom(inner.ToArray()));
        }
        return whole.ToArray();
    }
}

/// <param name="PartialSuccess">Null if every record became an event.</param>
public sealed record OtlpAnswer(OtlpPartialSuccess? PartialSuccess);

/// <param name="RejectedLogRecords">How many; a number of 64 bits is a text in OTLP's JSON.</param>
/// <param name="ErrorMessage">Why, for people.</param>
public sealed record OtlpPartialSuccess(string RejectedLogRecords, string ErrorMessage);
