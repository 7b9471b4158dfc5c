using System.Globalization;
using System.Text;
using System.Text.Json;
using Tally.Silo.Import;
using Tally.Silo.Import.Tools;
using Tally.Silo.Storage;

namespace Tally.Tests.Pure;

/// <summary>What an import reads from other tools' exports.</summary>
public sealed class ToolExports
{
    private const string Salt = "0123456789abcdef";
    private const string Firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0";

    private const string GoatCounterHeader =
        "2Path,Title,Event,UserAgent,Browser,System,Session,Bot,Referrer,Referrer scheme,Screen size,Location,FirstVisit,Date\n";

    private const string UmamiHeader =
        "website_id,session_id,visit_id,event_id,hostname,browser,os,device,screen,language,country,subdivision1,city,"
        + "url_path,url_query,referrer_path,referrer_query,referrer_domain,page_title,event_type,event_name,tag,distinct_id,created_at\n";

    private const string MatomoVisit = """
        {"idSite":"1","idVisit":"77","visitorId":"0123456789abcdef","userId":null,"languageCode":"de-de","resolution":"1920x1080",
         "referrerUrl":"https://search.example/?q=x","actionDetails":[
          {"type":"action","url":"https://shop.example/?utm_source=mail","pageTitle":"Home","idpageview":"aB3","timestamp":1700000000},
          {"type":"event","url":"https://shop.example/","eventCategory":"video","eventAction":"play","eventName":"intro","eventValue":5,"timestamp":1700000010},
          {"type":"download","url":"https://shop.example/list.pdf","timestamp":1700000020},
          {"type":"goal","goalId":3,"revenue":9.5,"url":"https://shop.example/thanks","timestamp":1700000030}]}
        """;

    private const string Ga4Row = """
        {"event_date":"20231114","event_timestamp":"1700000000000000","event_name":"page_view","event_params":[{"key":"page_location","value":{"string_value":"https://shop.example/a?utm_source=mail"}},{"key":"page_title","value":{"string_value":"A"}},{"key":"page_referrer","value":{"string_value":"https://news.example/x"}},{"key":"ga_session_id","value":{"int_value":"1699999999"}},{"key":"engagement","value":{"double_value":1.5}}],"user_pseudo_id":"111.222","stream_id":"42","device":{"category":"desktop","language":"en-us","web_info":{"browser":"Chrome"}},"geo":{"country":"Germany"}}
        """;

    private const string PostHogRow = """
        {"uuid":"0190a7c4-0000-7000-8000-000000000001","event":"$pageview","properties":{"$current_url":"https://shop.example/a?utm_source=mail","$referrer":"https://news.example/","$viewport_width":1300,"$ip":"203.0.113.7","plan":"pro"},"distinct_id":"ada","timestamp":"2024-01-02T03:04:05.678Z"}
        """;

    [Fact]
    public async Task An_access_log_has_the_pages_that_browsers_got()
    {
        var log = Line("/shop?utm_source=mail", referrer: "https://news.example/a")
            + Line("/", referrer: "https://shop.example/shop", status: 304)
            + Line("/app.css") + Line("/robots.txt") + Line("/favicon.ICO?v=1") + Line("/.well-known/x")
            + Line("/gone", status: 404) + Line("/old", status: 301) + Line("/form", method: "POST")
            + Line("/", agent: "Googlebot/2.1 (+http://www.google.com/bot.html)") + Line("/", agent: "curl/8.5.0")
            + Line("/", agent: "-") + Line("/v1.2/john.doe");
        var items = await Read(log, "access.log", new(Product: "shop.example", Salt: Salt));
        var views = items.Where(item => item.Json is not null).Select(Json).ToList();
        Assert.Equal(["/shop", "/", "/v1.2/john.doe"], views.Select(view => Property(view, "path")));
        Assert.Equal(("view", "shop.example", "2024-01-02T15:04:05.0000000Z"),
            (Text(views[0], "action"), Text(views[0], "product"), Text(views[0], "timestamp")));
        Assert.Equal(("mail", "news.example", "Firefox", "Linux", "desktop"),
            (Property(views[0], "utm_source"), Property(views[0], "referrer"), Property(views[0], "$browser"),
                Property(views[0], "$os"), Property(views[0], "$device")));
        Assert.Null(Property(views[1], "referrer")); // the site itself
        foreach (var (host, referrer, product) in ((string, string, string?)[])
                 [("", "www.shop.example:8443", "shop.example"), ("www.shop.example:80 ", "shop.example", null),
                     ("a.example:443 ", "WWW.shop.example", "shop.example")])
            Assert.Null(Property(Json(Assert.Single(await Read(host + Line("/", referrer: $"https://{referrer}/x"), "x",
                new(Product: product, Salt: Salt)))), "referrer"));
        foreach (var (target, path) in ((string, string)[])
                 [("/a b c", "/a b c"), (@"/\xc3\xa9\""x", "/é\"x"), ("/a HTTP/1.1 x", "/a HTTP/1.1 x")])
            Assert.Equal(path, Property(Json(Assert.Single(await Read(Line(target), "x",
                new(Product: "shop", Salt: Salt)))), "path"));
        Assert.Equal(
            ["of bots", "of files", "of files", "of files", "of files", "of programs", "of programs",
                "with another method than GET", "without a page (redirects and errors)",
                "without a page (redirects and errors)"],
            items.Where(item => item.LeftOutAs is not null).Select(item => item.LeftOutAs!)
                .Order(StringComparer.Ordinal));
        Assert.DoesNotContain("203.0.113.1", string.Concat(items.Select(item => Utf8(item.Json))));
        Assert.DoesNotContain("Gecko", string.Concat(items.Select(item => Utf8(item.Json))));
    }

    [Fact]
    public async Task A_visitor_in_an_access_log_has_a_fingerprint_a_day_and_a_site_and_a_salt()
    {
        async Task<string> Of(string line, string? salt = null, string? product = null) =>
            Text(Json(Assert.Single(await Read(line, "x", new(Product: product ?? "a", Salt: salt ?? Salt)))),
                "fingerprint");
        var one = await Of(Line("/a"));
        Assert.Equal(one, await Of(Line("/b", time: "02/Jan/2024:23:59:59 +0000")));
        Assert.Equal(one, await Of(Line("/b", time: "03/Jan/2024:00:30:00 +0100")));
        string[] others =
        [
            await Of(Line("/a", time: "03/Jan/2024:00:00:00 +0000")), await Of(Line("/a", address: "203.0.113.2")),
            await Of(Line("/a", agent: Firefox + "x")), await Of(Line("/a"), salt: Salt + "x"),
            await Of(Line("/a"), product: "b"), await Of("other.example:443 " + Line("/a")),
        ];
        Assert.DoesNotContain(one, others);
        Assert.Equal(others.Length, others.Distinct().Count());
    }

    [Fact]
    public async Task An_access_log_names_its_sites_if_it_has_virtual_hosts_and_needs_a_salt()
    {
        var line = "shop.example:443 " + Line("/a", address: "2001:db8::1", agent: @"Mozilla/5.0 \""x\"" \x22y\\");
        Assert.Equal("shop.example",
            Text(Json(Assert.Single(await Read(line, "access.log", new(Salt: Salt)))), "product"));
        Assert.Contains("-salt=", await Failure(line, "access.log", new()));
        Assert.Contains("-product=", await Failure(Line("/a"), "access.log", new(Salt: Salt)));
        var mixed = await Read(Line("/a.css") + line + Line("/b") + line, "access.log", new(Salt: Salt));
        Assert.Contains("no virtual host", Assert.Single(mixed, item => item.Line == 3).Problem);
        Assert.Equal([2L, 4], mixed.Where(item => item.Json is not null).Select(item => item.Line));
    }

    [Fact]
    public async Task What_is_no_line_of_an_access_log_is_told_and_the_same_line_twice_counts_twice()
    {
        var common = Line("/a").Replace($" \"-\" \"{Firefox}\"", "");
        byte[] log =
        [
            .. Bytes(Line("/a") + "nonsense\n" + common + Line("/a", time: "99/Foo/2024:00:00:00 +0000")), 0xFF,
            .. Bytes("\n" + Line("/a") + Line("") + new string('x', RecordReader.RecordBytesMax + 1) + "\n" + Line("/a")[..40]),
        ];
        var items = await Read(log, "x", new("accesslog", "shop", Salt));
        Assert.Equal([2L, 3, 4, 5, 7, 8, 9], items.Where(item => item.Problem is not null).Select(item => item.Line));
        var ids = items.Where(item => item.Json is not null).Select(item => Text(Json(item), "id")).ToList();
        Assert.Equal(2, ids.Distinct().Count());
        var again = await Read(log, "y", new(Product: "shop", Salt: Salt));
        Assert.Equal(ids, again.Where(item => item.Json is not null).Select(item => Text(Json(item), "id")));
    }

    [Fact]
    public async Task GoatCounters_views_and_events_are_imported_and_bots_are_left_out()
    {
        var csv = GoatCounterHeader
            + $"/a?utm_source=mail,\"A, b\",false,\"{Firefox}\",Firefox 132,Linux,abc,0,news.example/x,h,\"1920,1080,1\",DE,1,2024-01-02T03:04:05Z\n"
            + "signup,Sign up,true,,Chrome 86,Windows XP,abc,0,,,,,0,2024-01-02T03:05:00Z\n"
            + "/a,A,false,,,,def,1,,,,,1,2024-01-02T03:05:00Z\n"
            + "/a,A,false,,Internet Explorer 11,macOS 10.15,def,0,Hacker News,g,,,1,2024-01-02T03:05:01Z\n"
            + ",A,false,,,,def,0,,,,,1,2024-01-02T03:05:01Z\n"
            + "/a,A,false,,,,def,0,,,,,1,\n" + "/a,A\n";
        var items = await Read(csv, "export.csv", new(Product: "shop"));
        Assert.Equal([2L, 3, 5], items.Where(item => item.Json is not null).Select(item => item.Line));
        Assert.Equal([6L, 7, 8], items.Where(item => item.Problem is not null).Select(item => item.Line));
        Assert.Equal("of bots", items[2].LeftOutAs);
        Assert.Equal("The row has no Path.", items[4].Problem);
        Assert.Equal(["Firefox on Linux", "Chrome on Windows", "Internet Explorer on macOS"],
            items.Where(item => item.Json is not null)
                .Select(item => $"{Property(Json(item), "$browser")} on {Property(Json(item), "$os")}"));
        var view = Json(items[0]);
        Assert.Equal(("view", "shop", "abc", "2024-01-02T03:04:05Z"),
            (Text(view, "action"), Text(view, "product"), Text(view, "fingerprint"), Text(view, "timestamp")));
        Assert.Equal(("/a", "A, b", "mail", "news.example", "1536", "Firefox", "DE"),
            (Property(view, "path"), Property(view, "title"), Property(view, "utm_source"), Property(view, "referrer"),
                Property(view, "screen"), Property(view, "$browser"), Property(view, "location")));
        Assert.Equal(("signup", "Hacker News"), (Text(Json(items[1]), "action"), Property(Json(items[3]), "referrer")));
        Assert.Contains("-product=", await Failure(csv, "export.csv", new()));
        Assert.Contains("no column Path", await Failure("a,b\n1,2\n", "x.csv", new("goatcounter", "shop")));
    }

    [Fact]
    public async Task PostHogs_events_are_imported_from_lines_an_array_and_a_table()
    {
        var quoted = JsonSerializer.Deserialize<JsonElement>(PostHogRow).GetProperty("properties").GetRawText()
            .Replace("\"", "\"\"");
        foreach (var (text, settings) in ((string, ToolSettings)[])
                 [
                     (PostHogRow, new(Product: "shop")), ($"[{PostHogRow}]", new("posthog", "shop")),
                     ("uuid,event,properties,distinct_id,timestamp\n0190a7c4-0000-7000-8000-000000000001,$pageview,"
                         + $"\"{quoted}\",ada,2024-01-02 03:04:05.678000+00:00\n", new(Product: "shop")),
                     ("uuid,event,distinct_id,timestamp,properties.$current_url,properties.$referrer,properties.$viewport_width,properties.plan,properties.$ip\n"
                         + "0190a7c4-0000-7000-8000-000000000001,$pageview,ada,2024-01-02 03:04:05.678+00:00,https://shop.example/a?utm_source=mail,https://news.example/,1300,pro,203.0.113.7\n",
                         new(Product: "shop")),
                 ])
        {
            var view = Json(Assert.Single(await Read(text, "x", settings)));
            Assert.Equal(("view", "shop", "ada", "0190a7c4-0000-7000-8000-000000000001"),
                (Text(view, "action"), Text(view, "product"), Text(view, "fingerprint"), Text(view, "id")));
            Assert.StartsWith("2024-01-02T03:04:05.678", Text(view, "timestamp"));
            Assert.Equal(("/a", "mail", "news.example", "1024", "pro", null),
                (Property(view, "path"), Property(view, "utm_source"), Property(view, "referrer"),
                    Property(view, "screen"), Property(view, "plan"), Property(view, "$ip")));
        }
        var items = await Read($"{PostHogRow.Trim()}\nnonsense\n[1]\n{{}}\n{PostHogRow.Replace("0190a7c4", "\\ud800")}\n"
            + PostHogRow.Trim()[..80], "x", new(Product: "shop"));
        Assert.Equal([2L, 3, 4, 6], items.Where(item => item.Problem is not null).Select(item => item.Line));
        static string Event(string properties) =>
            $$"""{"uuid":"u","event":"e","distinct_id":"d","timestamp":"2024-01-02","properties":{{properties}}}""" + "\n";
        items = await Read(Event("\"{\\\"a\\\":1}\"") + Event("null") + Event("\"{\\\"a\\\":\"")
            + Event("\"{\\\"a\\\":1,\\\"a\\\":2}\"") + Event("\"[1]\"") + Event("7"), "x", new("posthog", "shop"));
        Assert.Equal([3L, 4, 5, 6], items.Where(item => item.Problem == "The properties are not a JSON object.")
            .Select(item => item.Line));
        Assert.Equal("1", Property(Json(items[0]), "a"));
    }

    [Fact]
    public async Task Umamis_csv_is_imported_by_its_own_ids()
    {
        const string site = "11111111-1111-1111-1111-111111111111", id = "22222222-2222-2222-2222-222222222222";
        var csv = UmamiHeader
            + $"{site},s1,v1,{id},shop.example,firefox,Linux,desktop,1920x1080,en-US,DE,,,/a,utm_source=mail,/x,,news.example,A,1,,,,2024-01-02 03:04:05\n"
            + $"{site},s1,v1,e2,shop.example,firefox,Linux,desktop,1920x1080,en-US,DE,,,/a,,,,shop.example,A,2,signup,,ada,2024-01-02 03:05:05.250\n"
            + $"{site},s1,v1,,shop.example,,,,,,,,,/a,,,,,A,1,,,,2024-01-02 03:04:05\n"
            + $"{site},s1,v1,e4,,,,,,,,,,/a,,,,,A,3,,,,2024-01-02 03:04:05\n"
            + $"{site},s1,v1,e5,,,,,,,,,,/a,,,,,A,4,,,,2024-01-02 03:04:05\n"
            + $"{site},s1,v1,e6,shop.example,,,,,,,,,/a,,,,www.shop.example,A,5,,,,2024-01-02 03:04:05\n";
        var items = await Read(csv, "website_event.csv", new());
        var (view, signup) = (Json(items[0]), Json(items[1]));
        Assert.Equal(("view", site, "s1", id, "2024-01-02T03:04:05.0000000Z"), (Text(view, "action"),
            Text(view, "product"), Text(view, "fingerprint"), Text(view, "id"), Text(view, "timestamp")));
        Assert.Equal(("/a", "mail", "news.example", "1536", "A", "en-US", "firefox"),
            (Property(view, "path"), Property(view, "utm_source"), Property(view, "referrer"), Property(view, "screen"),
                Property(view, "title"), Property(view, "language"), Property(view, "browser")));
        Assert.Equal(("signup", "ada", null),
            (Text(signup, "action"), Text(signup, "fingerprint"), Property(signup, "referrer")));
        Assert.Contains("event_id", items[2].Problem);
        Assert.Equal(["of links and pixels", "of links and pixels"], items[3..5].Select(item => item.LeftOutAs));
        Assert.Equal(("performance", null), (Text(Json(items[5]), "action"), Property(Json(items[5]), "referrer")));
        Assert.Equal("shop", Text(Json((await Read(csv, "x", new("umami", "shop")))[0]), "product"));
    }

    [Fact]
    public async Task Ga4s_rows_are_imported_and_those_without_a_visitor_left_out()
    {
        var row = Ga4Row.Trim();
        var items = await Read($"{row}\n{row}\n{row.Replace("\"user_pseudo_id\":\"111.222\",", "")}\n"
            + row.Replace("1700000000000000", "x") + "\n" + row.Replace("1700000000000000", "9999999999999999999") + "\n"
            + row.Replace("page_view", "purchase") + "\n" + row[..99], "ga4.json", new());
        Assert.Equal([4L, 5, 7], items.Where(item => item.Problem is not null).Select(item => item.Line));
        Assert.Contains("consent", items[2].LeftOutAs);
        var view = Json(items[0]);
        Assert.Equal(("view", "42", "111.222", "2023-11-14T22:13:20.0000000Z"),
            (Text(view, "action"), Text(view, "product"), Text(view, "fingerprint"), Text(view, "timestamp")));
        Assert.Equal(("/a", "mail", "news.example", "A", "en-us", "Chrome", "Germany", "1699999999", "1.5"),
            (Property(view, "path"), Property(view, "utm_source"), Property(view, "referrer"), Property(view, "title"),
                Property(view, "language"), Property(view, "browser"), Property(view, "country"),
                Property(view, "ga_session_id"), Property(view, "engagement")));
        Assert.Equal(JsonValueKind.Number, view.GetProperty("properties").GetProperty("ga_session_id").ValueKind);
        Assert.Equal("purchase", Text(Json(items[5]), "action"));
        Assert.Equal(3, items.Where(item => item.Json is not null).Select(item => Text(Json(item), "id")).Distinct().Count());

        // Rows that differ only in a parameter keep their ids in another order. If there are numbers of a batch, they
        // suffice.
        var other = row.Replace("1699999999", "1700000001");
        async Task<List<string>> Ids(params string[] rows) =>
            (await Read(string.Join('\n', rows), "x", new("ga4"))).ConvertAll(item => Text(Json(item), "id"));
        var (ids, turned) = (await Ids(row, other, row), await Ids(other, row, row));
        Assert.Equal(3, ids.Distinct().Count());
        Assert.Equal((ids[1], ids[0], ids[2]), (turned[0], turned[1], turned[2]));
        string Numbered(string text) => text.Replace("\"stream_id\"", "\"batch_event_index\":\"1\",\"stream_id\"");
        Assert.Equal(await Ids(Numbered(row)), await Ids(Numbered(other)));

        items = await Read($"{row}\n{row.Replace("\"stream_id\":\"42\",", "")}", "x", new());
        Assert.Contains("no stream_id", items[1].Problem);
        Assert.Contains("-product=", await Failure(row.Replace("\"stream_id\":\"42\",", ""), "x", new()));
    }

    [Fact]
    public async Task Matomos_visits_are_imported_as_its_tracker_sent_them()
    {
        var line = MatomoVisit.ReplaceLineEndings("");
        foreach (var text in (string[])[line + "\n", $"[{MatomoVisit}]", $" \n[\n{MatomoVisit}\n]\n"])
        {
            var items = await Read(text, "visits.json", new());
            var events = items.ConvertAll(Json);
            Assert.Equal(["view", "play", "download", "goal"], events.Select(e => Text(e, "action")));
            Assert.All(events, e => Assert.Equal(("1", "0123456789abcdef"), (Text(e, "product"), Text(e, "fingerprint"))));
            Assert.Equal(["matomo 1 77 0", "matomo 1 77 1", "matomo 1 77 2", "matomo 1 77 3"],
                events.Select(e => Text(e, "id")));
            Assert.Equal(("/", "mail", "search.example", "Home", "de-de", "1536"),
                (Property(events[0], "path"), Property(events[0], "utm_source"), Property(events[0], "referrer"),
                    Property(events[0], "title"), Property(events[0], "language"), Property(events[0], "screen")));
            Assert.Equal(("video", "5", "shop.example/list.pdf", "3", "9.5"),
                (Property(events[1], "e_c"), Property(events[1], "e_v"), Property(events[2], "link"),
                    Property(events[3], "idgoal"), Property(events[3], "revenue")));
        }
        var content = line.Replace("\"type\":\"download\"", "\"type\":\"content\"");
        Assert.Equal("of kinds that have no event here", (await Read(content, "x", new()))[2].LeftOutAs);
        var told = Assert.Single(await Read("""{"result":"error","message":"not \u001b[2J\u202eallowed """
            + new string('x', 5_000) + "\"}", "x", new("matomo"))).Problem!;
        Assert.StartsWith("This is no visit, but says: not \uFFFD[2J\uFFFDallowed xxx", told, StringComparison.Ordinal);
        Assert.True(told.Length < 300);
        Assert.Contains("breaks off", await Failure($"[{line},{line[..50]}", "x.json", new()));
    }

    [Fact]
    public async Task An_array_is_read_an_element_at_a_time_and_a_huge_one_is_told_alone()
    {
        var line = MatomoVisit.ReplaceLineEndings("");
        var huge = line.Replace("\"Home\"", $"\"{new string('x', RecordReader.RecordBytesMax)}\"");
        var items = await Read($"[{line},{huge},{{\"a\":[1,\"],[\\\"\"]}},{line}] rest", "x", new("matomo"));
        Assert.Equal([1L, 1, 1, 1, 2, 3, 4, 4, 4, 4, 5], items.Select(item => item.Line));
        Assert.Equal([2L, 3, 5], items.Where(item => item.Problem is not null).Select(item => item.Line));

        // The first one.
        Assert.Contains("-format=matomo", await Failure($"[{huge},{line}]", "x.json", new()));
        Assert.Contains("-format=matomo", await Failure($"[{huge},{line}]", "x.json", new(Product: "shop")));
        items = await Read($"[{huge},{line}]", "x.json", new("matomo"));
        Assert.Equal([1L, 2, 2, 2, 2], items.Select(item => item.Line));
        var large = line.Replace("\"Home\"", $"\"{new string('x', 100_000)}\"");
        Assert.Equal(4, (await Read($"[{large}]", "x.json", new())).Count);
    }

    [Theory]
    [InlineData("anything\n", "shop", null), InlineData("nonsense\n", null, Salt)]
    [InlineData("{\"a\":1}\n", "shop", Salt)]
    public async Task What_is_not_recognised_needs_its_format(string text, string? product, string? salt) =>
        Assert.Contains("say -format=NAME", await Failure(text, "x", new(Product: product, Salt: salt)));

    [Theory]
    [InlineData("x.csv", "date,visitors,pageviews,visits,views_per_visit,bounce_rate,visit_duration\n2024-01-01,3,5,3,1,2,3\n", null)]
    [InlineData("x", "anything", "plausible")]
    public async Task Plausibles_sums_are_refused(string name, string text, string? format) =>
        Assert.Contains("sums of each day", await Failure(text, name, new(format)));

    [Fact]
    public async Task A_zip_is_to_be_unpacked() =>
        Assert.Contains("unpack", await Failure("PK\u0003\u0004rest", "x.zip", new()));

    [Theory]
    [InlineData("x.csv", "action,product,fingerprint,time,uuid,event,distinct_id,timestamp,properties\nview,k8s,XYZ,,u,e,d,2024-01-01,{}\n")]
    [InlineData("x.csv", "action,product,fingerprint,timestamp,website_id,session_id,event_id,url_path,event_name,created_at\nview,k8s,XYZ,2024-01-01,,,,,,\n")]
    [InlineData("x.ndjson", """{"action":"view","product":"k8s","fingerprint":"XYZ","timestamp":"2024-01-01","uuid":"u","event":"e","distinct_id":"d","properties":{},"event_name":"e","event_params":[],"event_timestamp":1,"idSite":1,"actionDetails":[]}""")]
    public async Task A_file_of_Tallys_own_is_taken_for_no_other_tools(string name, string text)
    {
        var item = Json(Assert.Single(await Read(text, name, new())));
        Assert.Equal(("view", "k8s", "XYZ"), (Text(item, "action"), Text(item, "product"), Text(item, "fingerprint")));
        Assert.Contains("-product", await Failure(text, name, new(Product: "other")));
    }

    [Fact]
    public async Task A_dry_run_counts_what_would_be_sent_refused_and_left_out()
    {
        var told = new List<(long, string)>();
        var dryRun = new DryRun((line, reason) => told.Add((line, reason)));
        var log = Line("/a") + Line("/b", time: "05/Feb/2024:01:02:03 +0000") + Line("/a.css") + Line("/b.css") + "nonsense\n"
            + Line("/a", time: "05/Feb/2999:01:02:03 +0000");
        await dryRun.Run(FileItems.Read(new MemoryStream(Bytes(log)), "x", TimeChoice.Found, new(Product: "shop", Salt: Salt)));
        Assert.Equal("""
            2 events would be sent, 2 refused; left out: 2 of files
            from 2024-01-02T15:04:05Z to 2024-02-05T01:02:03Z
                       2 view (shop)

            """.ReplaceLineEndings("\n"), dryRun.ToReport());
        Assert.Equal((5L, 6L), (told[0].Item1, told[1].Item1));
        Assert.StartsWith("out_of_range: ", told[1].Item2);
    }

    private static string Line(string target, string address = "203.0.113.1", string? agent = null,
        string referrer = "-", int status = 200, string method = "GET", string time = "02/Jan/2024:15:04:05 +0000") =>
        string.Create(CultureInfo.InvariantCulture,
            $"{address} - - [{time}] \"{method} {target} HTTP/1.1\" {status} 512 \"{referrer}\" \"{agent ?? Firefox}\"\n");

    private static Task<List<Item>> Read(string text, string name, ToolSettings settings) =>
        Read(Bytes(text), name, settings);

    private static async Task<List<Item>> Read(byte[] bytes, string name, ToolSettings settings)
    {
        var items = new List<Item>();
        await foreach (var item in FileItems.Read(new MemoryStream(bytes), name, TimeChoice.Found, settings))
            items.Add(item);
        return items;
    }

    private static async Task<string> Failure(string text, string name, ToolSettings settings) =>
        (await Assert.ThrowsAsync<StartupException>(() => Read(text, name, settings))).Message;

    private static JsonElement Json(Item item) => JsonSerializer.Deserialize<JsonElement>(item.Json!);
    private static string Text(JsonElement item, string name) => item.GetProperty(name).GetString()!;

    private static string? Property(JsonElement item, string name) =>
        item.TryGetProperty("properties", out var all) && all.TryGetProperty(name, out var value)
            ? value.ToString() : null;

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
    private static string Utf8(byte[]? bytes) => Encoding.UTF8.GetString(bytes ?? []);
}
