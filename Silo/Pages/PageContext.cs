using Tally.Silo.Http;
using Tally.Silo.Pages.Words;
using Tally.Silo.Settings;
using Calendar = Tally.Grains.Calendar;

namespace Tally.Silo.Pages;

/// <summary>What all pages know of their reader and their server.</summary>
/// <param name="Texts">In the reader's language.</param>
/// <param name="Theme">Of <see cref="Preferences.Themes"/>; null if the reader has chosen none.</param>
/// <param name="Path">The page's own, with what it shows in its query.</param>
/// <param name="Address">The server's, as the reader's browser names it.</param>
/// <param name="NeedsReadKey">Whether reading needs a key.</param>
/// <param name="NeedsWriteKey">Whether sending events needs a key.</param>
/// <param name="IsShared">Whether the reader has but a link to this one page.</param>
/// <param name="Calendar">The service's days and clocks.</param>
/// <param name="At">UTC: when the page was asked for.</param>
public sealed record PageContext(Texts Texts, string? Theme, string Path, string Address, bool NeedsReadKey,
    bool NeedsWriteKey, bool IsShared, Calendar Calendar, DateTime At)
{
    internal static PageContext From(HttpContext context)
    {
        var (request, services) = (context.Request, context.RequestServices);
        var keys = services.GetRequiredService<AccessKeys>();
        return new(
            new(Preferences.LanguageOf(request)), Preferences.ThemeOf(request),
            request.Path.ToUriComponent() + request.QueryString, $"{request.Scheme}://{request.Host}",
            keys.GuardReading, keys.GuardWriting, request.Path.StartsWithSegments(ShareEndpoints.PagePath),
            services.GetRequiredService<Calendar>(),
            services.GetRequiredService<TimeProvider>().GetUtcNow().UtcDateTime);
    }

    /// <summary>A time as the service's clocks show it.</summary>
    public DateTime OnClocks(DateTime utc) => Calendar.OnClocks(utc);
}
