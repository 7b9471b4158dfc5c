using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>Questions about everyone with parameters that are wrong, hostile or merely unusual.</summary>
public sealed class OddQuestions(SharedApps apps) : IClassFixture<SharedApps>
{
    private const string Injection = "k8s' or 1=1; drop table rollups; --";

    [Theory, EachStorage]
    public async Task A_wrong_parameter_is_refused_by_name(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        var tooLong = new string('é', 129);
        foreach (var (query, reason, field) in ((string, string, string)[])
                 [
                     ("totals?bucket=quarter", "unknown_value", "bucket"),
                     ("totals?bucket=Day", "unknown_value", "bucket"), ("totals?bucket=", "unknown_value", "bucket"),
                     ("totals?bucket=day&bucket=hour", "duplicate_field", "bucket"),
                     ($"totals?bucket={Uri.EscapeDataString(Injection)}", "unknown_value", "bucket"),
                     ("totals?groupBy=fingerprint", "unknown_value", "groupBy"),
                     ("totals?groupBy=", "unknown_value", "groupBy"),
                     ("totals?groupBy=product,product", "unknown_value", "groupBy"),
                     ("totals?groupBy=product,", "unknown_value", "groupBy"),
                     ("totals?groupBy=product,action,events", "unknown_value", "groupBy"),
                     ("totals?groupBy=product&groupBy=action", "duplicate_field", "groupBy"),
                     ($"totals?groupBy={Uri.EscapeDataString("product," + Injection)}", "unknown_value", "groupBy"),
                     ("totals?product=", "missing_field", "product"),
                     ("totals?product=a%00b", "invalid_characters", "product"),
                     ($"totals?product={tooLong}", "too_long", "product"),
                     ("totals?product=a&product=b", "duplicate_field", "product"),
                     ("totals?action=", "missing_field", "action"),
                     ("totals?action=a%0Ab", "invalid_characters", "action"),
                     ($"totals?action={tooLong}", "too_long", "action"),
                     ("totals?action=a&ACTION=b", "unknown_parameter", "ACTION"),
                     ("totals?from=2026-01-01&to=2026-01-01", "empty_range", "from"),
                     ("totals?from=2026-01-02&to=2026-01-01", "empty_range", "from"),
                     ("totals?from=2026-01-01T10:00:00Z&to=2026-01-01T10:00:00Z&bucket=hour", "empty_range", "from"),
                     ("totals?from=9999-01-01", "empty_range", "from"),
                     ("totals?from=9999-12-31T23:59:00Z&to=9999-12-31T23:59:00Z&bucket=all", "empty_range", "from"),
                     ("totals?from=a&from=b", "duplicate_field", "from"),
                     ("totals?to=2026-01-01&to=2026-01-02", "duplicate_field", "to"),

                     ("top", "missing_field", "of"), ("top?of=", "unknown_value", "of"),
                     ("top?of=fingerprint", "unknown_value", "of"),
                     ("top?of=products&of=actions", "duplicate_field", "of"),
                     ($"top?of={Uri.EscapeDataString(Injection)}", "unknown_value", "of"),
                     ("top?of=products&by=", "unknown_value", "by"),
                     ("top?of=products&by=Events", "unknown_value", "by"),
                     ("top?of=actions&by=uniques", "uniques_of_products_only", "by"),
                     ("top?of=products&by=events&by=events", "duplicate_field", "by"),
                     ("top?of=products&by=uniques&from=2026-01-01&to=2027-01-03", "too_many_days", "from"),
                     ("top?of=fingerprints&from=0001-01-01&to=9999-12-31", "too_many_days", "from"),
                     ("top?of=fingerprints&by=uniques", "unknown_value", "by"),
                     ("top?of=fingerprints&from=x", "invalid_time", "from"),
                     ("top?of=fingerprints&product=%0A", "invalid_characters", "product"),
                     ("top?of=products&product=", "missing_field", "product"),
                     ("top?of=products&product=a&product=b", "duplicate_field", "product"),
                     ("top?of=products&from=x", "invalid_time", "from"),
                     ("top?of=products&from=2026-01-02&to=2026-01-01", "empty_range", "from"),
                     ("top?of=products&limit=5&limit=5", "duplicate_field", "limit"),
                 ])
        {
            var answer = await app.Get("/api/" + query);
            Assert.True(answer.Reason == reason, $"{query}: {answer.Status} {answer.Reason}");
            answer.AssertRefused(422, reason, field);
        }
        foreach (var odd in (string[])["0", "-1", "1001", "x", "", "%201", "1.5", "4294967297", "99999999999999999999"])
            (await app.Get($"/api/top?of=products&limit={odd}")).AssertRefused(422, "out_of_range", "limit");
        foreach (var odd in (string[])
                 [
                     "", "now", "today", "2026-1-2", "2026-02-30", "0000-01-01", "20260102", "2026-01-02T10:30:00",
                     "2026-01-02T10:30",
                     "2026-01-02T10:30:00+2:00", "2026-01-02T25:00:00Z", "2026-01-02T10:30:00Z'", "%D9%A2026-01-02",
                     "17673", "-infinity", "10000-01-01",
                     "0001-01-01T00:00:00%2B02:00", "2026-01-02%00", "2026-01-02,2026-01-03",
                     Uri.EscapeDataString(Injection), new string('9', 4_000),
                 ])
            foreach (var field in (string[])["from", "to"])
                (await app.Get($"/api/totals?{field}={odd}")).AssertRefused(422, "invalid_time", field);
    }

    [Theory, EachStorage]
    public async Task The_ends_of_the_calendar_and_names_like_sql_are_ordinary(StorageKind storage)
    {
        var shared = await apps.On(storage);
        var before = await shared.AllRows();
        Assert.Equal(200,
            (await shared.App.PostForm($"action=view&product={Uri.EscapeDataString(Injection)}&fingerprint=f")).Status);
        foreach (var range in (string[])
                 ["from=0001-01-01&to=9999-12-31", "from=0001-01-01T00:00:00Z&to=9999-12-31T23:59:00.0000000Z",
                     "from=2026-01-01&to=9999-12-31T23:59:00%2B14:00", "from=0001-01-01"])
        {
            var all = await shared.App.Get($"/api/totals?bucket=all&{range}");
            Assert.Equal(before + 1, all.Body.GetProperty("points")[0].GetProperty("events").GetInt64());
            var one = await shared.App.Get(
                $"/api/totals?bucket=all&{range}&product={Uri.EscapeDataString(Injection)}&groupBy=product");
            Assert.Equal(Injection,
                Assert.Single(one.Body.GetProperty("points").EnumerateArray()).GetProperty("product").GetString());
        }
        var nothing = await shared.App.Get("/api/totals?to=0001-01-03");
        Assert.Equal(("0001-01-01T00:00:00Z", 2),
            (nothing.Text("from"), nothing.Body.GetProperty("points").GetArrayLength()));
        Assert.Equal(200, (await shared.App.Get("/api/totals?groupBy=action,product&bucket=all")).Status);
    }

    [Theory, EachStorage]
    public async Task A_range_that_does_not_begin_and_end_with_buckets_is_refused(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        foreach (var (question, field, nearest) in ((string, string, string)[])
                 [
                     ("totals?bucket=day&from=2026-11-26T00:00:00%2B05:30", "from", "2026-11-26T00:00:00Z"),
                     ("totals?from=2026-11-25T11:59:59Z", "from", "2026-11-25T00:00:00Z"),
                     ("totals?from=2026-11-20&to=2026-11-25T12:00:00Z", "to", "2026-11-26T00:00:00Z"),
                     ("totals?to=2026-11-25T00:00:00.0000001Z", "to", "2026-11-25T00:00:00Z"),
                     ("totals?bucket=hour&from=2026-11-26T00:00:00%2B05:30", "from", "2026-11-25T19:00:00Z"),
                     ("totals?bucket=hour&to=2026-11-26T00:29:00Z", "to", "2026-11-26T00:00:00Z"),
                     ("totals?bucket=minute&from=2026-11-26T00:00:31Z&to=2026-11-26T00:10:00Z", "from",
                         "2026-11-26T00:01:00Z"),
                     ("totals?bucket=all&to=2026-11-26T00:00:29.999Z", "to", "2026-11-26T00:00:00Z"),
                     ("totals?bucket=all&from=2026-11-26T00:00:00.5Z", "from", "2026-11-26T00:00:00Z"),
                     ("totals?bucket=all&to=9999-12-31T23:59:59.9999999Z", "to", "9999-12-31T23:59:00Z"),
                     ("totals?to=9999-12-31T23:59:00Z", "to", "9999-12-31T00:00:00Z"),
                     ("uniques?from=2026-11-26T00:00:00%2B05:30", "from", "2026-11-26T00:00:00Z"),
                     ("uniques?to=2026-11-26T06:00:00Z", "to", "2026-11-26T00:00:00Z"),
                     ("top?of=fingerprints&from=2026-11-26T00:00:00-05:00", "from", "2026-11-26T00:00:00Z"),
                     ("top?of=products&by=uniques&to=2026-11-26T12:00:00Z", "to", "2026-11-27T00:00:00Z"),
                     ("top?of=actions&from=2026-11-26T00:00:01Z", "from", "2026-11-26T00:00:00Z"),
                 ])
        {
            var answer = await app.Get("/api/" + question);
            Assert.True(answer.Reason == "not_on_bucket", $"{question}: {answer.Status} {answer.Reason}");
            answer.AssertRefused(422, "not_on_bucket", field);
            Assert.Contains($"The nearest is {nearest}.", answer.Text("detail"));
        }
        foreach (var (question, from, to) in ((string, string, string)[])
                 [
                     ("totals?from=2026-11-26T05:30:00%2B05:30&to=2026-11-27T19:00:00-05:00", "2026-11-26T00:00:00Z",
                         "2026-11-28T00:00:00Z"),
                     ("totals?bucket=hour&from=2026-11-26T00:30:00%2B05:30&to=2026-11-26", "2026-11-25T19:00:00Z",
                         "2026-11-26T00:00:00Z"),
                     ("totals?bucket=all&from=2026-11-26T00:00:00%2B05:30&to=2026-11-26T00:01:00%2B05:30",
                         "2026-11-25T18:30:00Z", "2026-11-25T18:31:00Z"),
                     ("top?of=actions&from=2026-11-26T00:00:00%2B05:30&to=2026-11-27", "2026-11-25T18:30:00Z",
                         "2026-11-27T00:00:00Z"),
                     ("uniques?from=2026-11-25T19:00:00-05:00&to=2026-11-27", "2026-11-26T00:00:00Z",
                         "2026-11-27T00:00:00Z"),
                 ])
        {
            var answer = await app.Get("/api/" + question);
            Assert.Equal((200, from, to), (answer.Status, answer.Text("from"), answer.Text("to")));
        }
    }
}
