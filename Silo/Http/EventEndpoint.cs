using System.Buffers;
using Tally.Contracts;
using Tally.Silo.Http.Access;
using Tally.Silo.Http.Json;

namespace Tally.Silo.Http;

/// <summary>POST /api/events: one event, as a form or as JSON.</summary>
internal static class EventEndpoint
{
    public const string Path = "/api/events";

    private const string Name = "PostEvent";
    private const string Form = "application/x-www-form-urlencoded";
    private const string Multipart = "multipart/form-data";
    private const string Json = "application/json";
    private const string Text = "text/plain"; // what navigator.sendBeacon sends for a string; it needs no preflight

    public static void MapEvents(this IEndpointRouteBuilder routes)
    {
        // Resolved once: resolving them for each request would open a scope.
        var ingestion = routes.ServiceProvider.GetRequiredService<Ingestion>();
        var limits = routes.ServiceProvider.GetRequiredService<Limits>();
        var bodies = routes.ServiceProvider.GetRequiredService<LargeBodyLimiter>();
        // A delegate that writes its own answer costs the framework nothing to call.
        routes.MapPost(Path, (Delegate)((HttpContext context) => Post(context, ingestion, limits, bodies)))
            .WithName(Name)
            .WithSummary("Record one event")
            .WithDescription(
                "Answers 200 when the event is committed and counted exactly once. A repeat of an id gets the "
                + "first receipt, marked as a duplicate. Without an id, each request is a new event.")
            .Accepts<EventFields>(Form, Multipart, Json, Text)
            .Produces<Receipt>()
            .ProducesRefusals(408, 409, 413, 415);
    }

    /// <summary>The endpoint, once it is mapped.</summary>
    public static Endpoint In(IEndpointRouteBuilder routes) => routes.DataSources.SelectMany(source => source.Endpoints)
        .Single(one => one.Metadata.GetMetadata<IEndpointNameMetadata>()?.EndpointName == Name);

    private static async Task Post(HttpContext context, Ingestion ingestion, Limits limits, LargeBodyLimiter bodies)
    {
        var (fields, refusal) = await ReadFields(context.Request, limits, bodies);
        var answer = refusal is null ? await ingestion.Record(fields, context) : new(refusal);
        await answer.ToResult().ExecuteAsync(context);
    }

    private static async ValueTask<(EventFields Fields, Refusal? Refusal)> ReadFields(HttpRequest request,
        Limits limits, LargeBodyLimiter bodies)
    {
        var fields = new EventFields();
        var mediaType = RequestBody.MediaTypeOf(request);
        if (mediaType is not (Form or Multipart or Json or Text))
            return (fields, Refusal.UnsupportedMediaType($"{Form}, {Multipart}, {Json} or {Text}"));
        var (bytes, unread) = await RequestBody.ReadWhole(request, limits.EventBodyBytesMax, bodies);
        if (unread is not null) return (fields, unread);

        var content = RequestBody.WithoutByteOrderMark(bytes);
        var refusal = mediaType switch
        {
            Form => ParseForm(content.IsSingleSegment ? content.FirstSpan : content.ToArray(), fields),
            Multipart => await MultipartForm.Parse(content, request.ContentType!, fields),
            _ => ParseJson(content, ref fields),
        };
        if (mediaType == Text)
        {
            fields.CountsOnArrival = true; // nobody can correct a visitor's clock
            fields.IsHistory = request.HttpContext.Key() is { MayWriteHistory: true };
        }
        request.BodyReader.AdvanceTo(bytes.End);
        return (fields, refusal ?? AddHeaderId(request, fields));
    }

    /// <summary>Reads the fields of a form or a query. Fields that no event has are skipped.</summary>
    /// <returns>Why the form is refused, or null.</returns>
    public static Refusal? ParseForm(ReadOnlySpan<byte> form, EventFields fields)
    {
        if (RequestBody.LooksLikeJson(form)) return Refusal.JsonInForm();
        var pairs = new FormReader(form);
        while (pairs.TryRead())
            if (!fields.TrySet(pairs.Name, pairs.Value)) return Refusal.DuplicateField(pairs.Name);
        return pairs.IsMalformed ? Refusal.MalformedBody("The form's percent-encoding is broken or is not UTF-8.")
            : null;
    }

    private static Refusal? ParseJson(ReadOnlySequence<byte> body, ref EventFields fields)
    {
        var refusal = EventJson.Parse(body, out var parsed);
        fields = parsed ?? fields;
        return refusal;
    }

    private static Refusal? AddHeaderId(HttpRequest request, EventFields fields)
    {
        if (IdempotencyKey.Parse(request, out var key) is { } refusal) return refusal;
        if (key is "") return Refusal.MissingField("id"); // a client that sends the header relies on it
        if (key is not null && fields.Id is not null && fields.Id != key) return Refusal.IdMismatch();
        fields.Id ??= key;
        return null;
    }
}
