using Microsoft.AspNetCore.Http.HttpResults;
using Tally.Contracts;
using Tally.Silo.Storage;

namespace Tally.Silo.Http;

/// <summary>Annotations of a time range, by time.</summary>
public sealed record AnnotationsAnswer(IReadOnlyList<Annotation> Annotations);

/// <summary>/api/annotations: what happened at a time, for those who look at the counts.</summary>
internal static class AnnotationEndpoints
{
    public static void MapAnnotations(this IEndpointRouteBuilder routes, Limits limits)
    {
        var group = routes.MapGroup("/api/annotations").AddEndpointFilter(new QueryLimiter(limits.PagesMax, limits));
        group.MapGet("", List)
            .WithName("GetAnnotations")
            .WithSummary("List annotations by time")
            .WithDescription("Without from and to, all of them. product asks for those about it, and about all.");
        group.MapPut("", Put)
            .WithName("PutAnnotation")
            .WithSummary("Note what happened at a time")
            .WithDescription("There is one for each time and product: another text replaces it.");
        group.MapDelete("", Delete)
            .WithName("DeleteAnnotation")
            .WithSummary("Remove an annotation")
            .WithDescription("Answers with what was removed.")
            .ProducesRefusals(404);
    }

    internal static async Task<Results<JsonAnswer<AnnotationsAnswer>, Refusal>> List(
        string? from, string? to, string? product, SqlStorage storage, Limits limits)
    {
        if (QueryValue.ParseTime("from", from, storage.Calendar, DateTime.MinValue, out var first) is { } badFrom)
            return badFrom;
        if (QueryValue.ParseTime("to", to, storage.Calendar, DateTime.MaxValue, out var end) is { } badTo) return badTo;
        if (first >= end) return Refusal.EmptyRange();
        if (QueryValue.CheckText("product", product, limits.ProductBytesMax) is { } badProduct) return badProduct;
        var found = await storage.ReadAnnotations(Micro(first), Micro(end), product);
        return new JsonAnswer<AnnotationsAnswer>(new(found), HttpJson.Default.AnnotationsAnswer);
    }

    internal static async Task<Results<JsonAnswer<Annotation>, Refusal>> Put(
        string? time, string? text, string? product, SqlStorage storage, Limits limits)
    {
        if (ParsePlace(time, product, storage, limits, out var at) is { } badPlace) return badPlace;
        if (EventFields.CheckText("text", text, limits.AnnotationBytesMax) is { } badText) return badText;
        var annotation = new Annotation(at, product, text!);
        if (!await storage.PutAnnotation(annotation, limits.AnnotationsMax))
            return Refusal.TooManyAnnotations(limits.AnnotationsMax);
        return new JsonAnswer<Annotation>(annotation, HttpJson.Default.Annotation);
    }

    internal static async Task<Results<JsonAnswer<Annotation>, Refusal>> Delete(
        string? time, string? product, SqlStorage storage, Limits limits)
    {
        if (ParsePlace(time, product, storage, limits, out var at) is { } badPlace) return badPlace;
        if (await storage.DeleteAnnotation(at, product) is not { } removed) return Refusal.UnknownAnnotation();
        return new JsonAnswer<Annotation>(removed, HttpJson.Default.Annotation);
    }

    private static Refusal? ParsePlace(
        string? time, string? product, SqlStorage storage, Limits limits, out DateTime at)
    {
        at = default;
        if (string.IsNullOrEmpty(time)) return Refusal.MissingField("time");
        if (QueryValue.ParseTime("time", time, storage.Calendar, default, out var moment) is { } badTime)
            return badTime;
        at = Micro(moment);
        if (at.Year is 1 or 9999) return Refusal.InvalidTime("time"); // no database keeps the first and the last moment
        return QueryValue.CheckText("product", product, limits.ProductBytesMax);
    }

    private static DateTime Micro(DateTime time) =>
        DatabaseTime.From(new(time.Ticks, TimeSpan.Zero));
}
