using Tally.Contracts;
using Tally.Silo.Http.AbuseLimits;
using Tally.Silo.Settings;

namespace Tally.Silo.Http;

/// <summary>
/// A post of an event that no middleware would do anything for goes to its endpoint at once, which takes a tenth of an
/// event's processor time less. Programs send such posts: no Origin, no key, no query, no Content-Encoding.
/// </summary>
internal static class PlainPosts
{
    /// <summary>
    /// Comes before all middleware that it leaves out. Where that would concern every post, because writing needs a key
    /// or requests are limited, there is no such way.
    /// </summary>
    public static void UsePlainPosts(this WebApplication app)
    {
        if (app.Services.GetRequiredService<AccessKeys>().GuardWriting
            || RequestLimits.AreSet(app.Services.GetRequiredService<Limits>())) return;
        Endpoint? events = null; // mapped after this
        app.Use((context, next) =>
        {
            if (!IsPlain(context.Request)) return next(context);
            events ??= EventEndpoint.In(app);
            context.SetEndpoint(events);
            return events.RequestDelegate!(context);
        });
    }

    private static bool IsPlain(HttpRequest request) =>
        request is { Method: "POST", Path.Value: EventEndpoint.Path, QueryString.HasValue: false }
        && request.Headers is
        {
            Origin.Count: 0, Authorization.Count: 0, ContentEncoding.Count: 0,
        };
}
