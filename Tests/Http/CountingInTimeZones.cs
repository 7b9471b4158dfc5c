using System.Globalization;
using System.Text.Json;
using Tally.Tests.Harness;
using Calendar = Tally.Grains.Calendar;

namespace Tally.Tests.Http;

/// <summary>
/// Random histories around midnight and around the days on which clocks are set, compared with a model that asks the
/// zone's clocks what they show at each event.
/// </summary>
public sealed class CountingInTimeZones(PostgresServer server)
{
    private static readonly Dictionary<string, string[]> Days = new()
    {
        ["UTC"] = ["2025-03-30", "2025-10-26"], ["Europe/Berlin"] = ["2025-03-30", "2025-10-26"],
        ["America/New_York"] = ["2025-03-09", "2025-11-02"], ["Asia/Kathmandu"] = ["2025-03-30", "2025-10-26"],
        ["Australia/Lord_Howe"] = ["2025-04-06", "2025-10-05"],
    };

    public static TheoryData<StorageKind, string> All =>
        new(from storage in Enum.GetValues<StorageKind>() from zone in Days.Keys select (storage, zone));

    [Theory, MemberData(nameof(All))]
    public async Task Every_question_is_answered_by_the_clocks_of_the_zone(StorageKind storage, string zone)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo =
            await RunningSilo.Start(at, new(), dimensions: ["path", "parity"], calendar: Calendar.Find(zone)!);
        var asking = new Asking(silo, zone, new(Seed.Next()));
        for (var round = 0; round < 6; round++)
        {
            await asking.Record();
            for (var i = 0; i < 5; i++) await silo.Database.Storage.MergeRollups(limit: round);
            if (round == 3) // what is pruned is still counted, on the same days
                foreach (var fingerprint in (string[])["visitor-1", "visitor-2"])
                    Assert.NotEqual(0,
                        (await silo.Database.Storage.Prune([fingerprint], DateTime.MaxValue, 5))?.Events ?? 0);
            await asking.Ask(isPruned: round >= 3);
        }
        await RunningLog.AssertProven(silo.Database);
        using var asked = new HttpRequestMessage(HttpMethod.Get, "/") { Headers = { { "Accept", "text/html" } } };
        Assert.Contains($"Times are those of {zone}.",
            await (await silo.Http.SendAsync(asked)).Content.ReadAsStringAsync());
        foreach (var fingerprint in (string[])["visitor-0", "visitor-1"])
            Assert.Equal(200, (int)(await silo.Http.DeleteAsync($"/api/fingerprints/{fingerprint}")).StatusCode);
        await asking.Record();
        await AppProcess.AssertVerifies(at);
    }

    [Theory]
    [InlineData("UTC", "2026-11-26T00:00:00Z", "2026-11-25T19:00:00Z")]
    [InlineData("America/New_York", "2026-11-26T05:00:00Z", "2026-11-25T19:00:00Z")]
    [InlineData("Asia/Kathmandu", "2026-11-25T18:15:00Z", "2026-11-25T18:15:00Z")]
    public async Task The_ends_of_time_are_ordinary_and_what_is_refused_names_the_nearest_start(
        string zone, string day, string hour)
    {
        await using var at = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var silo = await RunningSilo.Start(at, new(), calendar: Calendar.Find(zone)!);
        var times = new List<string> { "0001-01-01", "0001-01-02", "9999-12-30", "9999-12-31", "2011-12-30" };
        foreach (var end in (string[])["0001-01-01T{0}Z", "9999-12-31T{0}Z"])
            foreach (var time in (string[])["00:00:00", "00:15:00", "05:00:00", "18:15:00", "23:30:00", "23:59:00"])
                times.Add(string.Format(CultureInfo.InvariantCulture, end, time));
        foreach (var question in (string[])
                 [
                     "totals?bucket=minute", "totals?bucket=hour", "totals?bucket=day", "totals?bucket=week",
                     "totals?bucket=month", "totals?bucket=all", "uniques?", "top?of=actions", "top?of=fingerprints",
                     "sessions?", "funnel?steps=view,buy",
                 ])
            foreach (var (from, to) in from one in times.Append(null)
                                       from other in times.Append(null)
                                       select (one, other))
            {
                var query = $"{question}{(from is null ? "" : "&from=" + from)}{(to is null ? "" : "&to=" + to)}"
                    .Replace("?&", "?");
                if (question.StartsWith("totals", StringComparison.Ordinal) || question == "top?of=actions")
                    query += $"&compare={(from == to ? "year" : "previous")}";
                Assert.True((await silo.Get("/api/" + query)).Status is 200 or 422, query);
            }
        var retention = await silo.Get("/api/retention?period=day");
        Assert.Equal(zone, retention.Text("timeZone"));
        Assert.All(retention.Body.GetProperty("cohorts").EnumerateArray(), cohort => Assert.Equal(TimeSpan.Zero,
            TimeZoneInfo.ConvertTimeFromUtc(cohort.GetProperty("from").GetDateTime(),
                TimeZoneInfo.FindSystemTimeZoneById(zone)).TimeOfDay));
        foreach (var (bucket, nearest) in ((string, string)[])[("day", day), ("hour", hour)])
        {
            var refused = await silo.Get($"/api/totals?bucket={bucket}&from=2026-11-25T18:31:00Z&to=2026-12-01");
            refused.AssertRefused(422, "not_on_bucket", "from");
            Assert.Equal($"The parameter from must be the start of a {bucket} in {zone}, since that is what is counted "
                + $"by. The nearest is {nearest}.", refused.Text("detail"));
        }
    }

    private sealed class Asking(RunningSilo silo, string name, Random random)
    {
        private readonly TimeZoneInfo zone = TimeZoneInfo.FindSystemTimeZoneById(name);
        private readonly EventModel model = new();
        private int number;

        public async Task Record()
        {
            var batch = Enumerable.Range(0, 60).Select(_ => Draw()).ToList();
            var answer = await silo.Post(
                JsonSerializer.SerializeToUtf8Bytes(batch.Select(one => new
                {
                    id = one.Id, one.Fingerprint, one.Product, one.Action, timestamp = one.Occurred,
                    properties = new { path = PathOf(one), parity = ParityOf(one) },
                }), JsonSerializerOptions.Web), "application/json", path: Requests.BatchPath + "?history=true");
            Assert.Equal((200, 60), (answer.Status, answer.Batch.Recorded));
            Assert.All(batch, one => Assert.True(model.Add(one)));
        }

        // At the edge of a quarter of an hour or of a day, or anywhere, within two days of one that is not like others,
        // or a week before.
        private SentEvent Draw()
        {
            var midnight = Midnight(Any(Days[name])).AddDays(random.Next(-2, 3) - 7 * random.Next(2));
            var edge = TimeSpan.FromMicroseconds(random.Next(-1, 2));
            var occurred = random.Next(4) switch
            {
                0 => ToUtc(midnight) + edge,
                1 or 2 => ToUtc(midnight).AddMinutes(15 * random.Next(4 * 48)) + edge,
                _ => ToUtc(midnight).AddMicroseconds(random.NextInt64(86_400_000_000)),
            };
            return new($"{number++}", $"visitor-{random.Next(7)}", Any(SentEvent.Products), Any(SentEvent.Actions),
                occurred);
        }

        public async Task Ask(bool isPruned)
        {
            var around = Midnight(Any(Days[name]));
            var (from, to) = (around.AddDays(-random.Next(4)), around.AddDays(1 + random.Next(3)));
            await AskForTotals("day", from, to);
            await AskForTotals("hour", from, to);
            await AskForTotals("all", from, to);
            var monday = from.AddDays(-(((int)from.DayOfWeek + 6) % 7));
            await AskForTotals("week", monday.AddDays(-7), monday.AddDays(14));
            await AskForTotals("month", Midnight("2025-03-01"), Midnight("2025-12-01"));
            var moment = ToUtc(around).AddMinutes(random.Next(26 * 60));
            await AskForTotals("minute", moment, moment.AddHours(2));
            await AskForTotals("all", moment.AddMinutes(-random.Next(3_000)), moment.AddMinutes(1 + random.Next(300)));

            var product = Maybe(SentEvent.Products);
            var events = model.Between(ToUtc(from), ToUtc(to), product).Select(one => one.Sent).ToList();
            var range = $"from={from:yyyy-MM-dd}&to={to:yyyy-MM-dd}{Given("product", product)}";
            var uniques = await Get($"uniques?{range}&groupBy=product");
            Assert.Equal((events.Count, events.Select(one => one.Fingerprint).Distinct().Count()),
                (uniques.GetProperty("events").GetInt32(), uniques.GetProperty("uniqueFingerprints").GetInt32()));
            Assert.Equal(
                events.GroupBy(one => one.Fingerprint).OrderByDescending(one => one.Count())
                    .ThenBy(one => one.Key, StringComparer.Ordinal).Select(one => $"{one.Key} {one.Count()}"),
                (await Get($"top?of=fingerprints&{range}")).GetProperty("top").EnumerateArray()
                    .Select(one => $"{one.GetProperty("fingerprint")} {one.GetProperty("events")}"));
            await AskForPaths(range, events);
            if (!isPruned) // it reads the log
                await AskForPaths(range + "&filter=parity:odd", events.Where(one => ParityOf(one) == "odd"));
            await AskForAFingerprint();
        }

        private async Task AskForPaths(string query, IEnumerable<SentEvent> events) => Assert.Equal(
            events.GroupBy(PathOf).Select(one => $"{one.Key} {one.Count()} {Daily(one)}").Order(),
            (await Get($"breakdown?by=path&{query}")).GetProperty("values").EnumerateArray().Select(one =>
                $"{one.GetProperty("value")} {one.GetProperty("events")} {one.GetProperty("dailyFingerprints")}")
                .Order());

        private async Task AskForTotals(string bucket, DateTime from, DateTime to)
        {
            // As dates, if they are midnights of the zone; else as times, with any offset.
            var offset = TimeSpan.FromMinutes(15 * random.Next(-48, 49));
            string Write(DateTime time) => time.Kind != DateTimeKind.Utc
                ? random.Next(2) == 0 ? $"{time:yyyy-MM-dd}" : Write(ToUtc(time))
                : Uri.EscapeDataString(new DateTimeOffset(time).ToOffset(offset).ToString("O"));
            var (product, action) = (Maybe(SentEvent.Products), Maybe(SentEvent.Actions));
            var groupBy = Any([null, "product", "action", "product,action"]);
            var compare = Any([null, "previous", "year"]);
            var query = $"totals?bucket={bucket}&from={Write(from)}&to={Write(to)}{Given("groupBy", groupBy)}"
                + Given("product", product) + Given("action", action) + Given("compare", compare);
            var answer = await Get(query);
            var end = answer.GetProperty("to").GetDateTime();
            Assert.Equal((ToUtc(from), ToUtc(to)), (answer.GetProperty("from").GetDateTime(), end));

            var buckets = answer.GetProperty("points").EnumerateArray()
                .GroupBy(point => point.GetProperty("time").GetDateTime()).ToList();
            var starts = buckets.Select(one => one.Key).ToList();
            var keys = new HashSet<string>();
            foreach (var (one, next) in buckets.Zip(starts.Skip(1).Append(end)))
            {
                var here = model.Between(one.Key, next, product, action).ToList();
                var shown = here.Select(e => Key(bucket, e.Sent.Occurred)).Distinct().ToList();
                Assert.True(shown.Count <= 1, $"{query}: {one.Key:O} has {string.Join(" and ", shown)}");
                Assert.True(shown.TrueForAll(keys.Add), $"{query}: {one.Key:O} is not all of {shown.FirstOrDefault()}");
                foreach (var point in one)
                    Assert.Equal(Expected(bucket, here, groupBy ?? "", product, action, point), Line(point));
            }
            Assert.Equal(model.Between(ToUtc(from), end, product, action).Count(),
                buckets.Sum(one => one.Sum(point => point.GetProperty("events").GetInt64())));
            if (bucket == "day" && starts.Count > 0) Assert.Equal((to - from).TotalDays, starts.Count);
            if (compare is not null && bucket != "all") AssertCompared(query, answer, bucket, compare, product, action);
        }

        // Beside each count stands that of the same time on the clocks, whole weeks or months before.
        private void AssertCompared(
            string query, JsonElement answer, string bucket, string compare, string? product, string? action)
        {
            var (from, to) = (Shown(answer.GetProperty("from")), Shown(answer.GetProperty("to")));
            var (earlierFrom, earlierTo) = (Shown(answer.GetProperty("compared").GetProperty("from")),
                Shown(answer.GetProperty("compared").GetProperty("to")));
            var days = (from.Date - earlierFrom.Date).Days;
            if (bucket == "month")
                Assert.Equal(from.AddMonths(compare == "year" ? -12 : -MonthsOf(from, to)), earlierFrom);
            else if (compare == "year") Assert.Equal(364, days);
            else Assert.True(days % 7 == 0 && earlierTo <= from && earlierTo.AddDays(7) > from, $"{query}: {days}");

            foreach (var point in answer.GetProperty("points").EnumerateArray())
            {
                var now = Shown(point.GetProperty("time"));
                var then = bucket == "month" ? now.AddMonths(compare == "year" ? -12 : MonthsOf(from, earlierFrom))
                    : now.AddDays(-days);
                // Which of two hours is meant, or that there is none, the clocks do not show.
                if (bucket is "hour" or "minute" && (Array.Exists([now, then], zone.IsAmbiguousTime)
                    || zone.IsInvalidTime(then) || now.Minute != 0 && bucket == "hour")) continue;
                var events = model.Events.Count(e => (product ?? e.Sent.Product) == e.Sent.Product
                    && (action ?? e.Sent.Action) == e.Sent.Action
                    && (Text(point, "product") ?? e.Sent.Product) == e.Sent.Product
                    && (Text(point, "action") ?? e.Sent.Action) == e.Sent.Action
                    && ClockKey(bucket, Clock(e.Sent.Occurred)) == ClockKey(bucket, then));
                var compared = point.GetProperty("compared").GetProperty("events").GetInt32();
                Assert.True(events == compared, $"{query}: {compared}, not {events}, beside {now:O}");
            }
        }

        private static int MonthsOf(DateTime from, DateTime to) => 12 * (to.Year - from.Year) + to.Month - from.Month;

        private DateTime Shown(JsonElement utc) => Clock(utc.GetDateTime());

        private DateTime Clock(DateTime utc) => TimeZoneInfo.ConvertTimeFromUtc(utc, zone);

        private static string ClockKey(string bucket, DateTime shown) => bucket switch
        {
            "minute" => $"{shown:yyyy-MM-dd HH:mm}",
            "hour" => $"{shown:yyyy-MM-dd HH}",
            "day" => $"{shown:yyyy-MM-dd}",
            "week" => $"{ISOWeek.GetYear(shown)} {ISOWeek.GetWeekOfYear(shown)}",
            _ => $"{shown:yyyy-MM}",
        };

        private static string Expected(string bucket, List<EventModel.Counted> here, string groupBy, string? product,
            string? action, JsonElement point)
        {
            var of = here.Where(e => (Text(point, "product") ?? e.Sent.Product) == e.Sent.Product
                && (Text(point, "action") ?? e.Sent.Action) == e.Sent.Action).ToList();
            var isNew = of.Count(e =>
                product is not null || groupBy.Contains("product") ? e.IsNewToProduct : e.IsNew);
            var uniques = bucket == "day" && action is null && !groupBy.Contains("action")
                ? $"{of.Select(e => e.Sent.Fingerprint).Distinct().Count()}" : "-";
            return $"{of.Count} {isNew} {uniques}";
        }

        private static string Line(JsonElement point) => $"{point.GetProperty("events")} "
            + $"{point.GetProperty("newFingerprints")} {Text(point, "uniqueFingerprints") ?? "-"}";

        private async Task AskForAFingerprint()
        {
            var one = model.Events.GroupBy(e => e.Sent.Fingerprint).ElementAt(random.Next(5));
            var view = (await silo.View(one.Key)).Body;
            Assert.Equal(
                one.CountBy(e => DayOf(e.Sent)).OrderByDescending(day => day.Key, StringComparer.Ordinal)
                    .Select(day => $"{day.Key} {day.Value}"),
                view.GetProperty("activity").EnumerateArray()
                    .Select(day => $"{day.GetProperty("day")} {day.GetProperty("events")}"));
        }

        private async Task<JsonElement> Get(string query)
        {
            var answer = await silo.Get("/api/" + query);
            Assert.True(answer.Status == 200, $"{query}: {answer.Status} {answer.Body}");
            Assert.Equal(name, answer.Text("timeZone"));
            return answer.Body;
        }

        private string Key(string bucket, DateTime utc)
        {
            var shown = Clock(utc);
            return bucket == "all" ? ""
                : bucket is "hour" or "minute" ? $"{ClockKey(bucket, shown)} {zone.GetUtcOffset(utc)}" // may come twice
                : ClockKey(bucket, shown);
        }

        private int Daily(IEnumerable<SentEvent> events) =>
            events.Select(one => (one.Fingerprint, one.Product, DayOf(one))).Distinct().Count();

        private string DayOf(SentEvent sent) => Key("day", sent.Occurred);

        private static string PathOf(SentEvent sent) => $"/{int.Parse(sent.Id) % 3}";

        private static string ParityOf(SentEvent sent) => int.Parse(sent.Id) % 2 == 0 ? "even" : "odd";

        // On the zone's clocks.
        private static DateTime Midnight(string day) => DateTime.ParseExact(day, "yyyy-MM-dd", null);

        private DateTime ToUtc(DateTime time) =>
            time.Kind == DateTimeKind.Utc ? time : TimeZoneInfo.ConvertTimeToUtc(time, zone);

        private T Any<T>(T[] some) => some[random.Next(some.Length)];

        private string? Maybe(string[] some) => random.Next(2) == 0 ? null : Any(some);

        private static string Given(string name, string? value) =>
            value is null ? "" : $"&{name}={Uri.EscapeDataString(value)}";

        private static string? Text(JsonElement of, string name) =>
            of.TryGetProperty(name, out var member) ? member.ToString() : null;
    }
}
