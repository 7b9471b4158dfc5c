using System.Net.Mime;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Tally.Silo.Http;

/// <summary>GET /openapi/v1.json: the handlers' signatures, and the few things that these do not show.</summary>
internal static class ApiDescription
{
    public const string AnyType = "*/*";

    private const string DocumentName = "v1";

    private const string ExampleEvent =
        """{"action":"view","product":"k8s","fingerprint":"XYZ","id":"order-17","properties":{"plan":"pro"}}""";

    /// <summary>
    /// The description is made once. The library's own endpoint makes one for each request, and two at once can fail
    /// (dotnet/aspnetcore#58845).
    /// </summary>
    public static void MapApiDescription(this IEndpointRouteBuilder endpoints)
    {
        var json = new Lazy<Task<byte[]>>(async () =>
        {
            var made = endpoints.ServiceProvider.GetRequiredKeyedService<IOpenApiDocumentProvider>(DocumentName);
            using var buffer = new MemoryStream();
            await (await made.GetOpenApiDocumentAsync()).SerializeAsJsonAsync(buffer, OpenApiSpecVersion.OpenApi3_1);
            return buffer.ToArray();
        });
        endpoints.MapGet($"/openapi/{DocumentName}.json",
            async () => Results.Bytes(await json.Value, MediaTypeNames.Application.Json)).ExcludeFromDescription();
    }

    public static void AddApiDescription(this IServiceCollection services) =>
        services.AddOpenApi(DocumentName, options =>
    {
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info.Title = "Tally";
            document.Info.Description = "A self-hosted event collector: durable, counted exactly once. "
                + "Not described here: GET /metrics, in Prometheus' text format; GET /tally.js, the script tag; and "
                + "Segment's API "
                + "under /v1, and the paths of other tools' trackers. HEAD is answered as GET, without a body.";
            foreach (var path in document.Paths.Values) path.Operations?.Remove(HttpMethod.Head);
            return Task.CompletedTask;
        });
        options.AddSchemaTransformer((schema, context, _) =>
        {
            if (context.JsonTypeInfo.Type == typeof(EventFields)) schema.Examples = [JsonNode.Parse(ExampleEvent)!];
            if (context.JsonPropertyInfo?.CustomConverter is RawJson)
                schema.Type = JsonSchemaType.Object | JsonSchemaType.Null;
            return Task.CompletedTask;
        });
        options.AddOperationTransformer((operation, context, _) =>
        {
            operation.RequestBody?.Content?.Remove(AnyType);
            var more = MoreParameters(operation.OperationId, context.Description.RelativePath!);
            operation.Parameters = [.. operation.Parameters ?? [], .. more];
            return Task.CompletedTask;
        });
    });

    // Parameters that handlers read from the request themselves.
    private static IEnumerable<OpenApiParameter> MoreParameters(string? operationId, string path)
    {
        if (path.Contains("{fingerprint}", StringComparison.Ordinal))
            yield return Parameter("fingerprint", ParameterLocation.Path, "Percent-encoded.", isRequired: true);
        if (path.Contains("{name}", StringComparison.Ordinal))
            yield return Parameter("name", ParameterLocation.Path, "Letters, digits, - and _.", isRequired: true);
        if (operationId is "GetPixel")
            foreach (var field in (string[])[.. EventFields.Names, "properties"])
                yield return Parameter(field, ParameterLocation.Query, "As in POST /api/events.",
                    field is "action" or "product");
        if (operationId is "PostBatch")
            yield return Parameter("writeKey", ParameterLocation.Query, "A write key, if headers cannot be set.");
        if (operationId is "PostEvent" or "PostBatch")
            yield return Parameter(IdempotencyKey.HeaderName, ParameterLocation.Header,
                "The event's id, instead of the field id. Of a batch, the prefix of its items' ids.");
    }

    private static OpenApiParameter Parameter(
        string name, ParameterLocation location, string description, bool isRequired = false) => new()
        {
            Name = name,
            In = location,
            Required = isRequired,
            Description = description,
            Schema = new OpenApiSchema { Type = JsonSchemaType.String },
        };
}
