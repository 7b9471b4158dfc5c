using System.Globalization;
using Tally.Silo.Http.Exports;

namespace Tally.Silo.Pages.Overviews;

/// <summary>A list as a file for a spreadsheet, with the marks of the export's.</summary>
internal sealed class CsvList(string of, IReadOnlyList<OverviewRow> rows, bool isCompared) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext)
    {
        using var text = new StringWriter();
        using (var csv = new CsvRows(text))
        {
            csv.Write([of, "events", .. Compared("earlier")]);
            foreach (var row in rows) csv.Write([row.Name ?? "", Text(row.Events), .. Compared(Text(row.Then ?? 0))]);
        }
        var headers = httpContext.Response.Headers;
        headers.ContentDisposition = "attachment; filename=\"list.csv\"";
        headers.CacheControl = "no-store";
        headers.XContentTypeOptions = "nosniff";
        return Results.Text(text.ToString(), "text/csv; charset=utf-8").ExecuteAsync(httpContext);
    }

    private string[] Compared(string cell) => isCompared ? [cell] : [];

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
