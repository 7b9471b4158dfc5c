using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using Tally.Silo.Http.Batches;
using Tally.Silo.Http.Live;
using Tally.Silo.Http.Totals;
using Tally.Silo.Http.Visits;

namespace Tally.Silo.Http;

/// <summary>GET /openapi/v1.json: the endpoints' own metadata, with an example for each body.</summary>
internal static class ApiDescription
{
    public const string AnyType = "*/*";

    private const string DocumentName = "v1";

    private static readonly Dictionary<string, string> Examples = new()
    {
        [nameof(EventFields)] = """{"action":"view","product":"k8s","fingerprint":"XYZ","id":"order-17","properties":{"plan":"pro"}}""",
        [nameof(BatchReceipt)] = """
            {"handled":3,"recorded":1,"repeated":1,"refused":[{"index":1,"status":422,"reason":"missing_field",
             "detail":"The field action is required and must not be empty.","field":"action"}]}
            """,
        ["EventFields[]"] = """[{"action":"view","product":"k8s","fingerprint":"XYZ","id":"order-18"}]""",
        [nameof(Receipt)] = """{"id":"order-17","fingerprint":"XYZ","sequence":7,"duplicate":false}""",
        ["FingerprintView"] = """
            {"fingerprint":"XYZ","total":7,"sequence":7,"firstSeen":"2026-01-01T09:00:00Z","lastSeen":"2026-01-02T10:30:00Z",
             "counts":[{"product":"k8s","action":"view","count":7,"firstSeen":"2026-01-01T09:00:00Z","lastSeen":"2026-01-02T10:30:00Z"}],
             "daysActive":2,"activity":[{"day":"2026-01-02","events":3},{"day":"2026-01-01","events":4}]}
            """,
        [nameof(FingerprintsPage)] = """
            {"fingerprints":[{"fingerprint":"XYZ","total":7,"firstSeen":"2026-01-01T09:00:00Z","lastSeen":"2026-01-02T10:30:00Z"}],
             "next":"AQjeSVTLmoYAWFla"}
            """,
        [nameof(UniquesAnswer)] = """
            {"from":"2026-01-01T00:00:00Z","to":"2026-01-08T00:00:00Z","events":9,"uniqueFingerprints":2,
             "products":[{"product":"k8s","events":9,"uniqueFingerprints":2}]}
            """,
        [nameof(EventsPage)] = """
            {"fingerprint":"XYZ","events":[{"sequence":7,"id":"0198b5f2-7c1e-7b3a-9d55-0f3c8a1e2b44","action":"view","product":"k8s",
             "created":"2026-01-02T10:30:00Z","occurred":"2026-01-02T10:30:00Z"}],"next":7}
            """,
        [nameof(TotalsAnswer)] = """
            {"from":"2026-01-01T00:00:00Z","to":"2026-01-02T00:00:00Z","bucket":"day",
             "points":[{"time":"2026-01-01T00:00:00Z","product":"k8s","events":7,"newFingerprints":2,"uniqueFingerprints":3}]}
            """,
        [nameof(TopAnswer)] = """
            {"of":"products","by":"uniques","from":"2026-01-01T00:00:00Z","to":"2026-01-02T00:00:00Z",
             "top":[{"product":"k8s","events":7,"newFingerprints":2,"uniqueFingerprints":3}]}
            """,
        [nameof(LoggedEvent)] = """
            {"sequence":7,"id":"0198b5f2-7c1e-7b3a-9d55-0f3c8a1e2b44","action":"view","product":"k8s",
             "created":"2026-01-02T10:30:00Z","occurred":"2026-01-02T10:30:00Z"}
            """,
        [nameof(LiveCounts)] = """{"added":2,"total":9,"counts":[{"product":"k8s","action":"view","added":2,"total":9}]}""",
        [nameof(ErasureReceipt)] = """{"fingerprint":"XYZ","erased":"2026-01-02T10:30:00Z","events":7,"snapshots":1,"visits":2,"suppressed":false}""",
        [nameof(HealthReport)] = """{"status":"ready"}""",
        [nameof(Refusal)] = """
            {"status":422,"title":"A field is missing","reason":"missing_field",
             "detail":"The field action is required and must not be empty.","field":"action","type":"about:blank"}
            """,
    };

    public static void AddApiDescription(this IServiceCollection services) => services.AddOpenApi(DocumentName, options =>
    {
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info.Title = "Tally";
            document.Info.Description = "A self-hosted event collector: durable, counted exactly once. "
                + "GET /metrics, in Prometheus' text format, GET /tally.js, the script tag, and Segment's API under /v1 are not described here. HEAD is answered as GET, without a body.";
            foreach (var path in document.Paths.Values) path.Operations?.Remove(HttpMethod.Head);
            return Task.CompletedTask;
        });
        options.AddSchemaTransformer((schema, context, _) =>
        {
            if (Examples.TryGetValue(context.JsonTypeInfo.Type.Name, out var example)) schema.Examples = [JsonNode.Parse(example)!];
            if (context.JsonPropertyInfo?.CustomConverter is RawJson) schema.Type = JsonSchemaType.Object | JsonSchemaType.Null;
            return Task.CompletedTask;
        });
        options.AddOperationTransformer((operation, context, _) =>
        {
            if (context.Description.RelativePath?.Contains("{fingerprint}", StringComparison.Ordinal) == true)
                operation.Parameters = [Fingerprint, .. operation.Parameters ?? []];
            if (operation.OperationId is "GetPixel") operation.Parameters = [.. EventParameters];
            if (operation.OperationId is "GetExport") operation.Parameters = [.. ExportParameters];
            operation.RequestBody?.Content?.Remove(AnyType);
            if (operation.OperationId is "PostBatch") operation.Parameters = [.. operation.Parameters ?? [], .. BatchParameters];
            if (operation.OperationId is "PostEvent" or "PostBatch") operation.Parameters = [.. operation.Parameters ?? [], IdempotencyKey];
            return Task.CompletedTask;
        });
    });

    private static readonly OpenApiParameter Fingerprint = new()
    {
        Name = "fingerprint",
        In = ParameterLocation.Path,
        Required = true,
        Description = "As its client wrote it, percent-encoded.",
        Schema = new OpenApiSchema { Type = JsonSchemaType.String },
        Example = "XYZ",
    };

    private static IEnumerable<OpenApiParameter> EventParameters => JsonNode.Parse(Examples[nameof(EventFields)])!.AsObject()
        .Select(one => new OpenApiParameter
        {
            Name = one.Key,
            In = ParameterLocation.Query,
            Required = one.Key is "action" or "product",
            Schema = new OpenApiSchema { Type = JsonSchemaType.String },
            Example = one.Value is JsonObject properties ? properties.ToJsonString() : one.Value,
        });

    private static IEnumerable<OpenApiParameter> ExportParameters =>
    [
        Of("from", "Of events that occurred at this time or later: a day, or as RFC 3339 writes it.", "2026-01-01"),
        Of("to", "And before this time.", "2026-01-02T10:30:00Z"),
        Of("product", "Of this product.", "k8s"),
        Of("format", "ndjson, csv or parquet.", "ndjson"),
        Of("after", "After the row with this SEQUENCE:FINGERPRINT.", "7:XYZ"),
    ];

    private static IEnumerable<OpenApiParameter> BatchParameters =>
    [
        Of("history", "true takes timestamps as old as they like.", "true"),
        Of("writeKey", "A write key, where no header can be set.", "4f1d6c02b1f84f3a9f0e5a7c8d2b6e13"),
    ];

    private static OpenApiParameter Of(string name, string description, string example) => new()
    {
        Name = name,
        In = ParameterLocation.Query,
        Description = description,
        Schema = new OpenApiSchema { Type = JsonSchemaType.String },
        Example = example,
    };

    private static readonly OpenApiParameter IdempotencyKey = new()
    {
        Name = "Idempotency-Key",
        In = ParameterLocation.Header,
        Description = "The event's id, instead of the field id; of a batch, what its items' ids are made of.",
        Schema = new OpenApiSchema { Type = JsonSchemaType.String },
        Example = "order-17",
    };
}
