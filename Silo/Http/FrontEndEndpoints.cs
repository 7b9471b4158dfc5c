using System.Globalization;
using Tally.Silo.Http.Access;
using Tally.Silo.Http.Batches;

namespace Tally.Silo.Http;

/// <summary>Everything that answers HTTP.</summary>
internal static class FrontEndEndpoints
{
    public static void AddFrontEnd(this IServiceCollection services, AccessKeys keys)
    {
        services.AddAccess(keys);
        services.AddSingleton<FrontEnd>();
        services.AddSingleton<Intake>();
        services.AddRequestDecompression();
        services.AddSingleton<Readiness>();
        services.AddProblemDetails(problems => problems.CustomizeProblemDetails = AddReason);
        services.AddApiDescription();
    }

    public static void MapFrontEnd(this WebApplication app)
    {
        app.UseExceptionHandler();
        app.UseStatusCodePages(); // unknown paths and methods get a problem document too
        app.Use(FingerprintPath.Route);
        app.UseRouting();
        app.UseAccess();
        app.UseRequestDecompression();

        var writing = app.MapWriting();
        writing.MapEvents();
        writing.MapBatches();

        var reading = app.MapReading();
        reading.MapFingerprints();
        reading.MapMetrics();

        app.MapHealth();
        app.MapOpenApi("/openapi/v1.json");
    }

    public static RouteHandlerBuilder ProducesRefusals(this RouteHandlerBuilder route, params ReadOnlySpan<int> statuses)
    {
        foreach (var status in statuses) route.Produces<Refusal>(status, "application/problem+json");
        return route;
    }

    private static void AddReason(ProblemDetailsContext context)
    {
        var status = context.ProblemDetails.Status ?? StatusCodes.Status500InternalServerError;
        context.ProblemDetails.Extensions["reason"] = status switch
        {
            404 => "not_found",
            405 => "method_not_allowed",
            415 => "unsupported_media_type", // routing refuses most of these before the endpoint would
            >= 500 => "internal_error",
            _ => "http_" + status.ToString(CultureInfo.InvariantCulture),
        };
    }
}
