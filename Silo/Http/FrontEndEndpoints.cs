using Microsoft.AspNetCore.Http.Metadata;
using Tally.Contracts;
using Tally.Silo.Http.AbuseLimits;
using Tally.Silo.Http.Access;
using Tally.Silo.Http.Batches;
using Tally.Silo.Http.Breakdowns;
using Tally.Silo.Http.Cluster;
using Tally.Silo.Http.Derived;
using Tally.Silo.Http.Exports;
using Tally.Silo.Http.Funnels;
using Tally.Silo.Http.Live;
using Tally.Silo.Http.Rules;
using Tally.Silo.Http.Segment;
using Tally.Silo.Http.Sessions;
using Tally.Silo.Http.Totals;
using Tally.Silo.Http.Trackers;
using Tally.Silo.Http.Verifications;
using Tally.Silo.Http.Visits;
using Tally.Silo.Settings;

namespace Tally.Silo.Http;

/// <summary>Everything that answers HTTP.</summary>
internal static class FrontEndEndpoints
{
    public static void AddFrontEnd(this IServiceCollection services, AppSettings settings, Limits limits)
    {
        services.AddAccess(new(settings.WriteKeys, settings.ReadKeys, settings.EraseKeys, settings.RuleKeys));
        services.AddTrustedProxies(settings.TrustedProxies);
        services.AddRequestLimits(limits);
        services.AddSingleton<ServiceCounters>();
        services.AddHostedService(all => all.GetRequiredService<ServiceCounters>());
        services.AddSingleton<FrontEnd>();
        services.AddSingleton<Ingestion>();
        services.AddSingleton<TrackerIntake>();
        services.AddSingleton(new DerivedProperties(settings.Derived, limits));
        services.AddSingleton<LargeBodyLimiter>();
        services.AddRequestEncodings();
        services.AddSingleton<HeldAnswers>();
        services.AddExport();
        services.AddAnswerCompression();
        services.AddSingleton<Readiness>(); // one instance, which remembers its last answer
        services.AddHealthChecks().AddCheck<Readiness>(Readiness.Name);
        services.AddApiDescription();
        services.AddEventCors(settings.Visitors.CorsOrigins);
        services.AddSingleton(settings.Visitors);
        services.AddSingleton<DailySalts>();
        services.AddHostedService(provider => provider.GetRequiredService<DailySalts>());
        services.AddSingleton<VisitorFingerprints>();
        services.AddLive();
        services.AddSingleton<ClusterView>();
        services.AddSingleton<SampleTries>();
        services.AddSingleton<Verifier>();
        services.AddHostedService(all => all.GetRequiredService<Verifier>());
        services.AddSingleton<FreshVisits>();
        services.AddSingleton<FreshFunnels>();
        services.AddSingleton(new QueryLimiter(limits.QuestionsMax, limits));
        services.AddSingleton<DimensionTotals>();
        services.AddSingleton(new Dimensions(settings.Dimensions, settings.Derived));
    }

    public static void MapFrontEnd(this WebApplication app, AppSettings settings)
    {
        if (settings.TrustedProxies.Count > 0) app.UseForwardedHeaders();
        app.UseExceptionHandler(failed => failed.Run(Refusal.InternalError().ExecuteAsync));
        app.UsePlainPosts(); // no middleware after this sees them
        app.Use(SegmentPath.MergeSlashes);
        app.Use(PathText.HideFromRouting);
        app.UseRouting();
        app.Use(UnmatchedRequests.Refuse);
        app.UseCors(); // before access: a page may read why it is refused
        app.UseAccess();
        app.UseRequestEncodings();
        app.UseAnswerCompression();
        app.Use(QueryParameters.Decode); // after access: nobody else learns about parameters
        app.UseLengthForHttp10();

        var limits = app.Services.GetRequiredService<Limits>();
        var all = app.MapGroup("");
        all.AnswerHead();
        all.AcceptAnyContentType();

        var writing = all.MapWriting();
        writing.OpenToPages();
        if (settings.IgnoresBots) writing.IgnoreBots();
        writing.MapEvents();
        writing.MapBatches();
        writing.MapSegment();
        writing.MapPixel();
        writing.MapTrackers(settings.Trackers);

        var reading = all.MapReading();
        var queries = reading.MapGroup("").RefuseUnknownParameters();
        queries.MapFingerprints();
        queries.MapFingerprintValues(limits);
        queries.MapReceipts(limits);
        queries.MapAnnotations(limits);
        queries.MapShares(limits);
        queries.MapVerifications(limits);
        queries.MapKeptFunnels(limits);
        queries.MapRules(limits);
        queries.MapLive();
        queries.MapExport();
        var questions = app.Services.GetRequiredService<QueryLimiter>();
        var scans = queries.MapGroup("").AddEndpointFilter(questions);
        scans.MapTotals();
        scans.MapFingerprintList();
        scans.MapTimeline();
        scans.MapActivity();
        scans.MapUniques();
        scans.MapPresent();
        scans.MapRetention();
        scans.MapTop();
        scans.MapBreakdown();
        scans.MapFunnel();
        scans.MapKeptFunnelAnswer();
        scans.MapSessions();
        scans.MapCluster();
        scans.MapFirings();
        reading.MapMetrics().DisableRateLimiting();

        all.MapErasing().RefuseUnknownParameters().MapErase();
        var ruling = all.MapRuling().RefuseUnknownParameters();
        var changes = ruling.MapGroup("").AddEndpointFilter(questions);
        changes.MapRuleChanges();
        changes.MapDelivery();
        ruling.MapSample();

        all.MapScript();
        var watching = all.MapGroup("").DisableRateLimiting();
        watching.MapHealth();
        watching.MapApiDescription();
    }

    /// <summary>Describes refusals, beside those of every endpoint of the API.</summary>
    public static TBuilder ProducesRefusals<TBuilder>(this TBuilder endpoints, params int[] statuses)
        where TBuilder : IEndpointConventionBuilder => endpoints.WithMetadata([.. statuses.Select(status =>
            new ProducesResponseTypeMetadata(status, typeof(Refusal), ["application/problem+json"]))]);

    // The endpoints check content types themselves. Routing would do so before CORS, and would not say which types are
    // supported. The description leaves this type out.
    private static void AcceptAnyContentType(this IEndpointConventionBuilder group) => group.Finally(endpoint =>
    {
        if (endpoint.Metadata.OfType<IAcceptsMetadata>().LastOrDefault() is { } accepts)
            endpoint.Metadata.Add(
                new AcceptsMetadata([.. accepts.ContentTypes, ApiDescription.AnyType], accepts.RequestType,
                    accepts.IsOptional));
    });
}
