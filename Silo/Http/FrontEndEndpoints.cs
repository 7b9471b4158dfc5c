using Microsoft.AspNetCore.Http.Metadata;
using Tally.Contracts;
using Tally.Silo.Http.AbuseLimits;
using Tally.Silo.Http.Access;
using Tally.Silo.Http.Batches;
using Tally.Silo.Http.Exports;
using Tally.Silo.Http.Live;
using Tally.Silo.Http.Segment;
using Tally.Silo.Http.Totals;
using Tally.Silo.Http.Visits;
using Tally.Silo.Settings;

namespace Tally.Silo.Http;

/// <summary>Everything that answers HTTP.</summary>
internal static class FrontEndEndpoints
{
    public static void AddFrontEnd(this IServiceCollection services, AppSettings settings, Limits limits)
    {
        services.AddAccess(new(settings.WriteKeys, settings.ReadKeys, settings.EraseKeys));
        services.AddTrustedProxies(settings.TrustedProxies);
        services.AddRequestLimits(limits);
        services.AddSingleton<ServiceCounters>();
        services.AddHostedService(all => all.GetRequiredService<ServiceCounters>());
        services.AddSingleton<FrontEnd>();
        services.AddSingleton<Intake>();
        services.AddSingleton<BodyRoom>();
        services.AddSingleton<QuestionTurns>();
        services.AddRequestEncodings();
        services.AddSingleton<HeldAnswers>();
        services.AddExport();
        services.AddSingleton<Readiness>(); // one instance, which remembers its last answer
        services.AddHealthChecks().AddCheck<Readiness>(Readiness.Name);
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
        app.UseExceptionHandler(failed => failed.Run(Refusal.InternalError().ExecuteAsync));
        app.Use(SegmentPath.Route);
        app.Use(FingerprintPath.Route);
        app.UseRouting();
        app.Use(Unrouted.Refuse);
        app.UseCors(); // before access: a page reads why it is refused
        app.UseAccess();
        app.UseRequestEncodings();
        app.UseExportCompression();
        app.Use(QueryParameters.Read); // after access: who may not ask learns nothing of the parameters
        app.UseLengthForHttp10();

        var all = app.MapGroup("");
        all.AnswerHead();
        all.JudgeBodiesThemselves();

        var writing = all.MapWriting();
        writing.OpenToPages();
        if (settings.IgnoresBots) writing.IgnoreBots();
        writing.MapEvents();
        writing.MapBatches();
        writing.MapSegment();
        writing.MapPixel();

        var reading = all.MapReading();
        reading.MapFingerprints();
        reading.MapTotals();
        reading.MapFingerprintList();
        reading.MapUniques();
        reading.MapTop();
        reading.MapLive();
        reading.MapExport();
        reading.MapMetrics().DisableRateLimiting();

        all.MapErasing().MapErase();

        all.MapScript();
        var watching = all.MapGroup("").DisableRateLimiting();
        watching.MapHealth();
        watching.MapOpenApi("/openapi/v1.json");
    }

    public static RouteHandlerBuilder ProducesRefusals(this RouteHandlerBuilder route, params ReadOnlySpan<int> statuses)
    {
        foreach (var status in statuses) route.Produces<Refusal>(status, "application/problem+json");
        return route;
    }

    // Routing would refuse a body whose type an endpoint does not describe before CORS is looked at, and without saying what is
    // taken. The endpoints do that. The description leaves this type out.
    private static void JudgeBodiesThemselves(this RouteGroupBuilder group) => ((IEndpointConventionBuilder)group).Finally(endpoint =>
    {
        if (endpoint.Metadata.OfType<IAcceptsMetadata>().LastOrDefault() is { } accepts)
            endpoint.Metadata.Add(new AcceptsMetadata([.. accepts.ContentTypes, ApiDescription.AnyType], accepts.RequestType, accepts.IsOptional));
    });
}
