using System.Net.Http.Json;
using System.Text.Json;

namespace Tally.Tests.Harness;

/// <summary>
/// Compares what the program answers about everyone with the rows of the log, using plain sets and sums.
/// </summary>
public static class AnswersCheck
{
    private const int ListedMax = 50;

    /// <param name="Day">UTC: the midnight at which its day in the service's zone begins.</param>
    private sealed record Row(string Fingerprint, string Product, string Action, DateTime Occurred, DateTime Day);

    /// <summary>The answers that differ from the log. Nothing may be written meanwhile.</summary>
    public static async Task<List<string>> Findings(TestDatabase database, IServing app)
    {
        var zone = TimeZoneInfo.FindSystemTimeZoneById(
            (await database.Query("select name from time_zone", row => row.GetString(0)))[0]);
        DateTime Shown(DateTime utc) => TimeZoneInfo.ConvertTimeFromUtc(utc, zone);
        var rows = await database.Query("select fingerprint, product, action, occurred from events",
            row => new Row(row.GetString(0), row.GetString(1), row.GetString(2), row.GetDateTime(3),
                TimeZoneInfo.ConvertTimeToUtc(Shown(row.GetDateTime(3)).Date, zone)));
        var (first, last) = (Shown(rows.Min(row => row.Occurred)), Shown(rows.Max(row => row.Occurred)));
        var range = $"from={first:yyyy-MM-dd}&to={last.AddDays(1):yyyy-MM-dd}";
        var findings = new List<string>();

        await Compare($"/api/totals?bucket=hour&groupBy=product,action&{range}", "points",
            point => (point.GetProperty("time").GetDateTime(), Text(point, "product"), Text(point, "action"),
                Number(point, "events")),
            rows.GroupBy(row => (Hour: row.Occurred.Date.AddHours(row.Occurred.Hour), row.Product, row.Action))
                .Select(group => (group.Key.Hour, group.Key.Product, group.Key.Action, group.LongCount())),
                point => point.Item4 > 0);
        await Compare($"/api/totals?bucket=day&groupBy=product&{range}", "points",
            point => (point.GetProperty("time").GetDateTime(), Text(point, "product"), Number(point, "events"),
                Number(point, "uniqueFingerprints")),
            rows.GroupBy(row => (row.Day, row.Product))
                .Select(group => (group.Key.Day, group.Key.Product, group.LongCount(), Different(group))),
                point => point.Item3 > 0);
        await Compare($"/api/totals?bucket=all&{range}", "points",
            point => (Number(point, "events"), Number(point, "newFingerprints")),
            [(rows.Count, Different(rows))]);
        await Compare($"/api/uniques?groupBy=product&{range}", "products",
            product => (Text(product, "product"), Number(product, "events"), Number(product, "uniqueFingerprints")),
            rows.GroupBy(row => row.Product).Select(group => (group.Key, group.LongCount(), Different(group))));
        await Compare($"/api/fingerprints?sort=total&limit={ListedMax}", "fingerprints",
            one => (Text(one, "fingerprint"), Number(one, "total")),
            MostActive(rows).ThenByDescending(one => one.Fingerprint, StringComparer.Ordinal).Take(ListedMax));
        await Compare($"/api/top?of=fingerprints&limit={ListedMax}&{range}", "top",
            one => (Text(one, "fingerprint"), Number(one, "events")),
            MostActive(rows).ThenBy(one => one.Fingerprint, StringComparer.Ordinal).Take(ListedMax));
        return findings;

        async Task Compare<T>(string question, string list, Func<JsonElement, T> read, IEnumerable<T> expected,
            Func<T, bool>? counts = null)
        {
            using var response = await app.Ask(question);
            var answer = response.IsSuccessStatusCode ? await response.Content.ReadFromJsonAsync<JsonElement>()
                : default;
            if (answer.ValueKind == JsonValueKind.Object)
            {
                HashSet<T> found =
                    [.. answer.GetProperty(list).EnumerateArray().Select(read).Where(counts ?? (_ => true))], wanted =
                        [.. expected];
                if (found.SetEquals(wanted)) return;
                findings.Add(
                    $"{question}: only answered {string.Join(", ", found.Except(wanted))}; only in the log {string.Join(", ", wanted.Except(found))}");
            }
            else
            {
                findings.Add($"{question}: {response.StatusCode}");
            }
        }
    }

    private static IOrderedEnumerable<(string Fingerprint, long Events)> MostActive(IEnumerable<Row> rows) =>
        rows.CountBy(row => row.Fingerprint).Select(one => (one.Key, (long)one.Value))
            .OrderByDescending(one => one.Item2);

    private static long Different(IEnumerable<Row> rows) => rows.Select(row => row.Fingerprint).Distinct().LongCount();

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;

    private static long Number(JsonElement element, string name) => element.GetProperty(name).GetInt64();
}
