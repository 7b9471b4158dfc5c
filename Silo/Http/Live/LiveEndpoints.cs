using Microsoft.AspNetCore.Mvc;
using Tally.Contracts;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Live;

/// <summary>What happens now, as server-sent events.</summary>
internal static class LiveEndpoints
{
    private const string EventStream = "text/event-stream";

    public static void AddLive(this IServiceCollection services)
    {
        services.AddSingleton<LiveReaders>();
        services.AddHostedService(all => all.GetRequiredService<LiveReaders>());
        services.AddSingleton<LiveLog>();
        services.AddSingleton<FingerprintFeeds>();
        services.AddHostedService(all => all.GetRequiredService<FingerprintFeeds>());
        services.AddSingleton<FingerprintStreams>();
        services.AddSingleton<EventFeed>();
        services.AddHostedService(all => all.GetRequiredService<EventFeed>());
        services.AddSingleton<EventStreams>();
        services.AddSingleton<CountStreams>();
        services.AddHostedService(all => all.GetRequiredService<CountStreams>());
    }

    public static void MapLive(this IEndpointRouteBuilder routes)
    {
        var ofFingerprints = routes.ServiceProvider.GetRequiredService<FingerprintStreams>();
        var ofEvents = routes.ServiceProvider.GetRequiredService<EventStreams>();
        var ofAll = routes.ServiceProvider.GetRequiredService<CountStreams>();
        var limits = routes.ServiceProvider.GetRequiredService<Limits>();

        routes.MapGet("/api/fingerprints/{fingerprint}/live",
                (FingerprintPath path, string? after, [FromHeader(Name = "Last-Event-ID")] string? lastEventId,
                    HttpContext context) =>
                    FollowFingerprint(path, lastEventId, after, context, ofFingerprints))
            .WithName("FollowFingerprint")
            .WithSummary("A fingerprint's events as they are recorded")
            .WithDescription(
                "Server-sent events, one each, without a gap or a repeat; id is the sequence. From now on, or from "
                    + "after the "
                + "sequence that Last-Event-ID, else after names. A message named reset says that the history was "
                + "erased and begins anew, "
                + "one named end why the stream ends: come back.")
            .Produces<LoggedEvent>(200, EventStream);
        routes.MapGet("/api/live",
            (string? product, HttpContext context) => FollowCounts(product, context, ofAll, limits))
            .WithName("FollowCounts")
            .WithSummary("What is counted, second by second")
            .WithDescription(
                "Server-sent events: first the totals, by product and action, then each second in which something "
                    + "changed "
                + "what was added.")
            .Produces<LiveCounts>(200, EventStream);
        routes.MapGet("/api/live/events",
                (string? product, string? action, string? after,
                    [FromHeader(Name = "Last-Event-ID")] string? lastEventId, HttpContext context) =>
                    FollowEvents(new(product, action), lastEventId, after, context, ofEvents, limits))
            .WithName("FollowEvents")
            .WithSummary("All events as they are recorded")
            .WithDescription(
                "Server-sent events, one each, in the order of each fingerprint's sequence, without a repeat. From now "
                + "on, or from after the id that Last-Event-ID, else after names, for a minute after it was told. A "
                + "message named skipped says how many events were left out, because there were too many. One named "
                + "reset says that the id is too old, and that what followed it is left out; one named end why the "
                + "stream ends: come back.")
            .Produces<FeedEvent>(200, EventStream);
    }

    private static async Task<IResult> FollowFingerprint(
        FingerprintPath path, string? lastEventId, string? after, HttpContext context, FingerprintStreams streams)
    {
        if (path.Refusal is not null) return path.Refusal;
        // A browser that comes back asks the same URL, and says in the header where it is.
        var (name, text) = lastEventId is null ? ("after", after) : ("Last-Event-ID", lastEventId);
        if (text is null) return await streams.Run(context, path.Fingerprint!, null);
        return QueryValue.ParseNumber(name, text, 0, long.MaxValue, 0, out var sequence) is { } refusal ? refusal
            : await streams.Run(context, path.Fingerprint!, sequence);
    }

    private static async Task<IResult> FollowEvents(FeedFilter filter, string? lastEventId, string? after,
        HttpContext context, EventStreams streams, Limits limits)
    {
        if (QueryValue.CheckText("product", filter.Product, limits.ProductBytesMax) is { } badProduct)
            return badProduct;
        if (QueryValue.CheckText("action", filter.Action, limits.ActionBytesMax) is { } badAction) return badAction;
        var (name, text) = lastEventId is null ? ("after", after) : ("Last-Event-ID", lastEventId);
        if (text is null) return await streams.Run(context, filter, null);
        return FeedPosition.Parse(text) is { } position ? await streams.Run(context, filter, position)
            : Refusal.InvalidFeedPosition(name);
    }

    private static async Task<IResult> FollowCounts(string? product, HttpContext context, CountStreams streams,
        Limits limits) =>
        QueryValue.CheckText("product", product, limits.ProductBytesMax) is { } refusal
            ? refusal : await streams.Run(context, product);
}
