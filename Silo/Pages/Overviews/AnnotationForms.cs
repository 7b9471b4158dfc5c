using System.Globalization;
using Tally.Contracts;
using Tally.Silo.Http;
using Tally.Silo.Storage;
using Calendar = Tally.Grains.Calendar;

namespace Tally.Silo.Pages.Overviews;

/// <summary>POST /annotations notes what happened at a time, or removes such a note, as the API does.</summary>
internal static class AnnotationForms
{
    private const int BodyBytesMax = 16_384; // an address and a text, percent-encoded

    public static async Task<IResult> Post(HttpContext context, SqlStorage storage, Limits limits)
    {
        if (await PageForms.Read(context.Request, BodyBytesMax) is not { } form) return PageForms.Malformed();
        var product = form["product"] is [{ Length: > 0 } one] ? one : null;
        if (form["remove"] is [{ } time])
            (await AnnotationEndpoints.Delete(time, product, storage, limits)).Shown();
        else
            (await AnnotationEndpoints.Put(TimeIn(form, storage.Calendar), form["text"], product, storage, limits))
                .Shown();
        return PageForms.GoTo(context, form);
    }

    // As the service's clocks show it. One that they skip is the time that they show next.
    private static string? TimeIn(IFormCollection form, Calendar calendar)
    {
        if (PageQuery.ParseDay(form["day"]) is not { } day
            || !TimeOnly.TryParse(form["time"], CultureInfo.InvariantCulture, out var time)
            || day.Year is 1 or 9999) return "";
        var utc = calendar.StartOf(day) + time.ToTimeSpan();
        return (utc - (calendar.OnClocks(utc) - day.ToDateTime(time))).ToString("O");
    }
}
