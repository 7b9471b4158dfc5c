using System.Globalization;
using Tally.Contracts;
using Tally.Silo.CommandLine;
using Tally.Silo.Http.Access;
using Tally.Silo.Http.Batches;
using Tally.Silo.Http.Exports;
using Tally.Silo.Http.Hostile;
using Tally.Silo.Http.Live;
using Tally.Silo.Http.Segment;
using Tally.Silo.Http.Totals;
using Tally.Silo.Http.Visits;
using Tally.Silo.Script;

namespace Tally.Silo.Http;

/// <summary>Everything that answers HTTP.</summary>
internal static class FrontEndEndpoints
{
    public static void AddFrontEnd(this IServiceCollection services, AppSettings settings, Limits limits)
    {
        services.AddAccess(settings.Keys);
        services.AddTrustedProxies(settings.TrustedProxies);
        services.AddRequestLimits(limits);
        services.AddSingleton<ServiceCounters>();
        services.AddHostedService(all => all.GetRequiredService<ServiceCounters>());
        services.AddSingleton<FrontEnd>();
        services.AddSingleton<Intake>();
        services.AddSingleton<QuestionTurns>();
        services.AddSingleton<HeldAnswers>();
        services.AddRequestDecompression();
        services.AddExport();
        services.AddSingleton<Readiness>();
        services.AddProblemDetails(problems => problems.CustomizeProblemDetails = AddReason);
        services.AddApiDescription();
        services.AddEventCors(settings.Visitors.CorsOrigins);
        services.AddSingleton(settings.Visitors);
        services.AddSingleton<DailySalts>();
        services.AddHostedService(provider => provider.GetRequiredService<DailySalts>());
        services.AddSingleton<VisitorFingerprints>();
        services.AddLive();
        services.AddSingleton<FreshVisits>();
    }

    public static void MapFrontEnd(this WebApplication app, AppSettings settings)
    {
        if (settings.TrustedProxies.Count > 0) app.UseForwardedHeaders();
        app.UseExceptionHandler();
        app.Use(FingerprintPath.Route);
        app.UseRouting();
        // Unknown paths and methods get a problem document too: what routing found no endpoint of ours for.
        app.UseWhen(context => context.GetEndpoint() is not RouteEndpoint, refused => refused.UseStatusCodePages());
        app.UseCors(); // before access: a page reads why it is refused
        app.UseAccess();
        app.UseRequestDecompression();
        app.UseExportCompression();
        app.UseLengthForHttp10();

        var writing = app.MapWriting();
        writing.OpenToPages();
        if (settings.IgnoresBots) writing.IgnoreBots();
        writing.MapEvents();
        writing.MapBatches();
        writing.MapSegment();
        writing.MapPixel();

        var reading = app.MapReading();
        reading.MapFingerprints();
        reading.MapTotals();
        reading.MapFingerprintList();
        reading.MapUniques();
        reading.MapTop();
        reading.MapLive();
        reading.MapExport();
        reading.MapMetrics().DisableRateLimiting();

        app.MapErasing().MapErase();

        app.MapScript();
        var watching = app.MapGroup("").DisableRateLimiting();
        watching.MapHealth();
        watching.MapOpenApi("/openapi/v1.json");
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
