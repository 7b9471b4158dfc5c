using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Tally.Silo.Http.Json;

namespace Tally.Silo.Http.Trackers.Otlp;

/// <summary>
/// Transcodes an ExportLogsServiceRequest into OTLP's JSON, so that both encodings are read alike. The numbers are
/// those of opentelemetry-proto's logs.proto, common.proto and resource.proto. Fields that are not named here are
/// skipped.
/// </summary>
internal static class OtlpProtobuf
{
    private enum Kind { Text, Bytes, Bool, Integer, Number, Fixed64, Message, Messages }

    private sealed record Field(int Number, string Name, Kind Kind, string Message = "");

    private static readonly Dictionary<string, Field[]> Messages = new()
    {
        ["Request"] = [new(1, "resourceLogs", Kind.Messages, "ResourceLogs")],
        ["ResourceLogs"] =
            [new(1, "resource", Kind.Message, "Resource"), new(2, "scopeLogs", Kind.Messages, "ScopeLogs")],
        ["Resource"] = [new(1, "attributes", Kind.Messages, "KeyValue")],
        ["ScopeLogs"] = [new(1, "scope", Kind.Message, "Scope"), new(2, "logRecords", Kind.Messages, "LogRecord")],
        ["Scope"] = [new(1, "name", Kind.Text)],
        ["LogRecord"] =
        [
            new(1, "timeUnixNano", Kind.Fixed64), new(3, "severityText", Kind.Text),
            new(5, "body", Kind.Message, "AnyValue"), new(6, "attributes", Kind.Messages, "KeyValue"),
            new(9, "traceId", Kind.Bytes), new(10, "spanId", Kind.Bytes),
            new(11, "observedTimeUnixNano", Kind.Fixed64), new(12, "eventName", Kind.Text),
        ],
        ["KeyValue"] = [new(1, "key", Kind.Text), new(2, "value", Kind.Message, "AnyValue")],
        ["AnyValue"] =
        [
            new(1, "stringValue", Kind.Text), new(2, "boolValue", Kind.Bool), new(3, "intValue", Kind.Integer),
            new(4, "doubleValue", Kind.Number), new(5, "arrayValue", Kind.Message, "ArrayValue"),
            new(6, "kvlistValue", Kind.Message, "KeyValueList"), new(7, "bytesValue", Kind.Bytes),
        ],
        ["ArrayValue"] = [new(1, "values", Kind.Messages, "AnyValue")],
        ["KeyValueList"] = [new(1, "values", Kind.Messages, "KeyValue")],
    };

    public static Refusal? Parse(byte[] body, out JsonElement json)
    {
        json = default;
        try
        {
            json = JsonElement.Parse(ReadMessage(new CodedInputStream(body), "Request", depth: 1).ToJsonString());
            return null;
        }
        catch (Exception exception) when (exception is InvalidProtocolBufferException or InvalidDataException
            or DecoderFallbackException or JsonException)
        {
            return Refusal.MalformedBody("The body is not an ExportLogsServiceRequest.");
        }
    }

    private static JsonObject ReadMessage(CodedInputStream input, string message, int depth)
    {
        if (depth > PropertiesJson.DepthMax) throw new InvalidDataException();
        var read = new JsonObject();
        while (input.ReadTag() is not 0 and var tag)
        {
            var number = WireFormat.GetTagFieldNumber(tag);
            if (Array.Find(Messages[message], one => one.Number == number) is not { } field
                || WireFormat.GetTagWireType(tag) != WireTypeOf(field.Kind)) input.SkipLastField();
            else if (field.Kind == Kind.Messages)
            {
                if (read[field.Name] is not JsonArray items) read[field.Name] = items = new JsonArray();
                items.Add((JsonNode)Inner(input, field, depth));
            }
            else read[field.Name] = field.Kind switch
            {
                Kind.Text => StrictUtf8.Encoding.GetString(input.ReadBytes().Span),
                Kind.Bytes => Convert.ToHexStringLower(input.ReadBytes().Span),
                Kind.Bool => input.ReadBool(),
                Kind.Integer => input.ReadInt64(),
                Kind.Number => Number(input.ReadDouble()),
                Kind.Fixed64 => input.ReadFixed64(),
                _ => Inner(input, field, depth),
            };
        }
        return read;
    }

    private static JsonObject Inner(CodedInputStream input, Field field, int depth) =>
        ReadMessage(input.ReadBytes().CreateCodedInput(), field.Message, depth + 1);

    private static JsonNode Number(double number) =>
        double.IsFinite(number) ? number : number.ToString(CultureInfo.InvariantCulture);

    private static WireFormat.WireType WireTypeOf(Kind kind) => kind switch
    {
        Kind.Bool or Kind.Integer => WireFormat.WireType.Varint,
        Kind.Number or Kind.Fixed64 => WireFormat.WireType.Fixed64,
        _ => WireFormat.WireType.LengthDelimited,
    };
}
