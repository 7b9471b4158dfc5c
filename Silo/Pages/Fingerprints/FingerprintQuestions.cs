using System.Globalization;
using Tally.Contracts;
using Tally.Silo.Http;
using Tally.Silo.Http.Breakdowns;
using Tally.Silo.Http.Sessions;
using Tally.Silo.Http.Visits;
using Tally.Silo.Storage;
using Calendar = Tally.Grains.Calendar;

namespace Tally.Silo.Pages.Fingerprints;

/// <summary>The answers that the page of a fingerprint shows.</summary>
/// <param name="Timeline">Newest first.</param>
/// <param name="Next">The sequence behind which the timeline goes on; null at its end.</param>
public sealed record FingerprintAnswers(FingerprintView View, Shown<FingerprintValues> Values,
    Shown<ActivityAnswer> Activity, IReadOnlyList<TimelineSession> Timeline, long? Next);

/// <summary>Asks what the API would be asked, so that the page and the API never differ.</summary>
internal sealed class FingerprintQuestions(FrontEnd frontEnd, SqlStorage storage, FreshVisits visits,
    Dimensions dimensions, Calendar calendar, Limits limits, TimeProvider clock)
{
    /// <exception cref="RefusedException">It has no events, or there is no answer.</exception>
    public async Task<FingerprintAnswers> Ask(HttpContext context, FingerprintAddress address)
    {
        var path = FingerprintPath.Check(address.Of, limits);
        // First, because the page is followed live from this sequence on.
        var view = (await FingerprintEndpoints.View(path, frontEnd)).Shown();
        var page = await AskForEvents(context, path, address);
        // After the events, so that each is in a session.
        var sessions = page.Events.Count == 0 ? [] : (await SessionEndpoints.GetList(context, path, null, null,
            JustAfter(page.Events[0].Occurred), Text(limits.PageEventsMax), storage, calendar, limits))
            .Shown().Sessions;
        using var rest = new TimeForParts(context, limits);
        var values = await Shown.Try<FingerprintValues>(context, async () =>
            (await FingerprintValuesEndpoint.Get(context, path, storage, dimensions, limits)).Shown());
        var activity = await Shown.Try<ActivityAnswer>(context, async () => (await ActivityEndpoint.Get(
            context, path, null, null, frontEnd, visits, calendar, limits, clock)).Shown());
        return new(view, values, activity, TimelineSession.Divide(page.Events, sessions), page.Next);
    }

    private async Task<EventsPage> AskForEvents(HttpContext context, FingerprintPath path, FingerprintAddress address)
    {
        var marked = address.Event is { } sequence && (await FingerprintEndpoints.GetEvents(
            context, path, Text(sequence - 1), "1", storage, limits)).Shown().Events is [var found]
            && found.Sequence == sequence ? found : null;
        var after = marked?.Sequence ?? address.After;
        var to = address.Day is { } day && day < DateOnly.MaxValue ? PageQuery.TextOf(day.AddDays(1)) : null;
        var page = (await TimelineEndpoint.Get(context, path, to, after is null ? null : Text(after.Value), null,
            storage, calendar, limits)).Shown();
        return marked is null ? page : page with { Events = [marked, .. page.Events] };
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string? JustAfter(DateTime time) => time > DateTime.MaxValue.AddMicroseconds(-1) ? null
        : time.AddMicroseconds(1).ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);
}
