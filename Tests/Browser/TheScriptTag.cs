using PuppeteerSharp;
using Tally.Tests.Harness;

namespace Tally.Tests.Browser;

/// <summary>
/// Pages of another origin with the script tag, in a real browser, under a policy that allows only the tag.
/// </summary>
public sealed class TheScriptTag(ScriptTagStage stage) : IClassFixture<ScriptTagStage>
{
    private readonly string product = "p" + Guid.NewGuid().ToString("N");

    [Fact]
    public async Task Loading_and_reloading_are_two_views_of_one_visitor()
    {
        var visitor = await stage.NewVisitor();
        var tab = await stage.OpenTab(visitor, product);
        var complaints = Complaints(tab);
        await tab.ReloadAsync();
        var events = await stage.Counts(product, 2);
        Assert.All(events, e => Assert.Equal(("view", $"/{product}"), (e.Action, e["path"])));
        Assert.Equal([await Remembered(tab)], events.Select(e => e.Fingerprint).Distinct());
        await NothingIsKept(tab);
        Assert.Empty(complaints);
        Assert.Empty(await tab.GetCookiesAsync());

        await stage.OpenTab(await stage.NewVisitor(), product);
        Assert.Equal(2, (await stage.Counts(product, 3)).DistinctBy(e => e.Fingerprint).Count());
    }

    [Fact]
    public async Task A_new_page_of_the_history_is_a_view_and_the_same_one_is_not()
    {
        var tab = await stage.OpenTab(await stage.NewVisitor(), product);
        await tab.EvaluateExpressionAsync($$"""
            history.pushState({}, '', '/{{product}}/a');
            history.replaceState({scroll: 1}, '');
            history.pushState({}, '', '#part');
            history.replaceState({}, '', '/{{product}}/b?page=2');
            """);
        await stage.Counts(product, 3);
        await tab.EvaluateExpressionAsync(
            "new Promise(done => { addEventListener('popstate', done, {once: true}); history.back(); })");
        var events = await stage.Counts(product, 4);
        Assert.Equal(((string[])["", "/a", "/a", "/b"]).Select(path => $"/{product}{path}"),
            events.Select(e => e["path"]).Order());
    }

    [Fact]
    public async Task A_view_says_where_the_visitor_came_from_and_what_the_page_is()
    {
        var tab = await (await stage.NewVisitor()).NewPageAsync();
        await tab.SetViewportAsync(new() { Width = 1300, Height = 800 });
        await tab.GoToAsync(stage.Url(product) + "/a?utm_source=news%20letter&utm_campaign=may&token=secret",
            new NavigationOptions { Referer = "http://search.example/?q=secret" });
        var first = Assert.Single(await stage.Counts(product, 1));
        Assert.Equal(
            ($"/{product}/a", "search.example", "news letter", "may", product, "1024"),
            (first["path"], first["referrer"], first["utm_source"], first["utm_campaign"], first["title"],
                first["screen"]));
        Assert.Equal(await tab.EvaluateExpressionAsync<string>("navigator.language"), first["language"]);
        Assert.DoesNotContain("secret", first.Properties);

        // the same site, in one page and from one page to the next
        await tab.EvaluateExpressionAsync($"history.pushState({{}}, '', '/{product}/b')");
        await stage.Counts(product, 2);
        await tab.GoToAsync(stage.Url(product) + "/c", new NavigationOptions { Referer = stage.Url(product) + "/b" });
        Assert.All((await stage.Counts(product, 3)).Skip(1),
            e => Assert.Equal((null, null), (e["referrer"], e["utm_source"])));
    }

    [Fact]
    public async Task The_page_for_missing_addresses_has_an_action_of_its_own()
    {
        var tab = await (await stage.NewVisitor()).NewPageAsync();
        await tab.GoToAsync(stage.Url(product) + "/gone?tag=defer%20data-action=404");
        var only = Assert.Single(await stage.Counts(product, 1));
        Assert.Equal(("404", $"/{product}/gone"), (only.Action, only["path"]));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Clicks_on_links_to_other_sites_and_to_files_are_events_if_the_tag_says_so(bool isOn)
    {
        var tab = await (await stage.NewVisitor()).NewPageAsync();
        await tab.GoToAsync(stage.Url(product) + (isOn ? "?tag=defer%20data-links=1" : ""));
        await tab.EvaluateExpressionAsync($$"""
            for (const [href, download] of [['https://other.example/x?secret=1'], ['/{{product}}/price-list.pdf'],
                ['/{{product}}/export', 'all.csv'], ['/{{product}}/page'], ['/{{product}}/page.html'],
                ['mailto:a@b.example'], ['javascript:void 0'], [undefined]]) {
              const link = document.body.appendChild(document.createElement('a'));
              if (href) link.href = href;
              if (download) link.download = download;
              link.addEventListener('click', e => e.preventDefault());
              link.appendChild(document.createElement('b')).click();
            }
            document.body.click();
            """);
        var host = new Uri(stage.Url(product)).Authority;
        var events = await stage.Counts(product, isOn ? 4 : 1);
        Assert.Equal(isOn
            ? [$"download {host}/{product}/export", $"download {host}/{product}/price-list.pdf", "outbound other.example/x"] : [],
            events.Where(e => e.Action != "view").Select(e => $"{e.Action} {e["link"]}").Order());
    }

    [Fact]
    public async Task A_page_that_comes_back_from_the_browsers_cache_is_a_view()
    {
        var tab = await stage.OpenTab(await stage.NewVisitor(), product);
        await tab.GoToAsync(stage.Url(product) + "/next");
        await stage.Counts(product, 2);
        await tab.GoBackAsync();
        await stage.Counts(product, 3);
    }

    [Fact]
    public async Task A_page_that_is_prepared_is_no_view_until_it_is_seen()
    {
        var tab = await (await stage.NewVisitor()).NewPageAsync();
        await tab.EvaluateExpressionOnNewDocumentAsync(
            "Object.defineProperty(document, 'prerendering', {value: true})");
        await tab.GoToAsync(stage.Url(product));
        await tab.EvaluateExpressionAsync("tally('prepared')");
        await NothingIsKept(tab);
        await stage.Counts(product, 1);
        await tab.EvaluateExpressionAsync("document.dispatchEvent(new Event('prerenderingchange'))");
        await stage.Counts(product, 2);
    }

    [Fact]
    public async Task An_event_of_the_page_has_its_properties()
    {
        var tab = await stage.OpenTab(await stage.NewVisitor(), product);
        await tab.EvaluateExpressionAsync(
            "tally('signup', {plan: 'pro', seats: 3, text: 'Käse \"\\n'}); tally('ping')");
        var events = await stage.Counts(product, 3);
        Assert.Equal("""{"plan":"pro","seats":3,"text":"Käse \"\n"}""",
            Assert.Single(events, e => e.Action == "signup").Properties);
        Assert.Null(Assert.Single(events, e => e.Action == "ping").Properties);
    }

    [Fact]
    public async Task What_happens_offline_is_counted_once_when_the_page_is_online_again()
    {
        var tab = await stage.OpenTab(await stage.NewVisitor(), product);
        await stage.Counts(product, 1);
        await tab.SetOfflineModeAsync(true);
        await tab.EvaluateExpressionAsync("for (let i = 0; i < 5; i++) tally('offline')");
        await Keeps(tab, 5);
        await tab.SetOfflineModeAsync(false);
        await stage.Counts(product, 6);
        await NothingIsKept(tab);
    }

    [Fact]
    public async Task What_was_not_sent_survives_the_page_and_is_counted_once_on_the_next_one()
    {
        var visitor = await stage.NewVisitor();
        var tab = await stage.OpenTab(visitor, product);
        await stage.Counts(product, 1);
        await tab.SetOfflineModeAsync(true);
        await tab.EvaluateExpressionAsync("for (let i = 0; i < 5; i++) tally('offline')");
        await Keeps(tab, 5);
        var happened = DateTime.Now;
        await tab.CloseAsync();
        tab = await stage.OpenTab(visitor, product);
        await stage.Counts(product, 7);
        await NothingIsKept(tab);
        // The time on the page, not the time of arrival.
        Assert.All((await stage.Times(product)).Where(e => e.Action == "offline"),
            e => Assert.InRange(DateTime.Parse(e.Occurred), happened.AddMinutes(-1), happened));
    }

    [Fact]
    public async Task What_a_closing_tab_sends_is_counted_once()
    {
        var tab = await stage.OpenTab(await stage.NewVisitor(), product);
        await tab.EvaluateExpressionAsync("addEventListener('pagehide', () => tally('leave')); tally('last')");
        await tab.CloseAsync(new PageCloseOptions { RunBeforeUnload = true });
        var events = await stage.Counts(product, 3);
        Assert.Equal(["last", "leave", "view"], events.Select(e => e.Action).Order());
    }

    [Fact]
    public async Task Two_tabs_keep_and_send_what_they_have_without_losing_or_doubling_any()
    {
        const int each = 40;
        var visitor = await stage.NewVisitor();
        var tabs = new[] { await stage.OpenTab(visitor, product), await stage.OpenTab(visitor, product) };
        await stage.Counts(product, 2);
        await Task.WhenAll(tabs.Select(tab => tab.SetOfflineModeAsync(true)));
        await Task.WhenAll(tabs.Select((tab, i) => tab.EvaluateExpressionAsync($$"""
            (async () => {
                for (let i = 0; i < {{each}}; i++) {
                    tally('tab', {tab: {{i}}, i});
                    await new Promise(go => setTimeout(go));
                }
            })()
            """)));
        await Keeps(tabs[0], 2 * each);
        // Both send everything at once, including what the other kept.
        await Task.WhenAll(tabs.Select(tab => tab.SetOfflineModeAsync(false)));
        var events = await stage.Counts(product, 2 + 2 * each);
        await NothingIsKept(tabs[1]);
        Assert.Equal(2 * each, events.Where(e => e.Action == "tab").Select(e => e.Properties).Distinct().Count());
        Assert.Single(events.DistinctBy(e => e.Fingerprint));
    }

    [Fact]
    public async Task A_server_that_dies_and_comes_back_has_every_event_once()
    {
        var tab = await stage.OpenTab(await stage.NewVisitor(), product);
        await tab.EvaluateExpressionAsync(
            "window.sent = 0; window.clock = setInterval(() => tally('tick', {i: sent++}), 20)");
        await stage.Reaches(product, 10);
        await stage.KillTally();
        await Eventually.True(async () => await Kept(tab) >= 10, "Nothing is kept.");
        await stage.StartTally();
        var sent = await tab.EvaluateExpressionAsync<int>("clearInterval(clock), sent");
        var events = await stage.Counts(product, 1 + sent);
        await NothingIsKept(tab);
        Assert.Equal(sent, events.Where(e => e.Action == "tick").Select(e => e.Properties).Distinct().Count());
    }

    [Theory]
    [InlineData("doNotTrack", "'1'")]
    [InlineData("globalPrivacyControl", "true")]
    public async Task Who_asks_not_to_be_tracked_is_not(string wish, string value)
    {
        var visitor = await stage.NewVisitor();
        var tab = await visitor.NewPageAsync();
        await tab.EvaluateExpressionOnNewDocumentAsync(
            $"Object.defineProperty(navigator, '{wish}', {{value: {value}}})");
        await tab.GoToAsync(stage.Url(product));
        await tab.EvaluateExpressionAsync("tally('signup', {plan: 'pro'}); history.pushState({}, '', '?next')");
        Assert.Equal(0, await tab.EvaluateExpressionAsync<int>("localStorage.length"));
        // Anything sent before would be recorded before this view.
        await stage.OpenTab(await stage.NewVisitor(), product);
        await stage.Counts(product, 1);
        Assert.DoesNotContain(
            await tab.EvaluateExpressionAsync<string[]>("performance.getEntriesByType('resource').map(e => e.name)"),
            name => name.Contains("/api/"));
    }

    [Fact]
    public async Task A_refused_event_is_dropped_and_does_not_hold_up_others()
    {
        var tab = await stage.OpenTab(await stage.NewVisitor(), product);
        await tab.EvaluateExpressionAsync(
            "tally(''); tally('large', {text: 'x'.repeat(40000)}); tally('huge', {text: 'x'.repeat(70000)}); tally('good')");
        await stage.Counts(product, 2);
        await NothingIsKept(tab);
    }

    [Fact]
    public async Task An_event_that_cannot_be_taken_now_is_sent_again()
    {
        var visitor = await stage.NewVisitor();
        var tab = await visitor.NewPageAsync();
        var answers = new Queue<int>([429, 503]);
        await tab.SetRequestInterceptionAsync(true);
        tab.Request += async (_, e) =>
        {
            if (e.Request.Url.Contains("/api/events") && answers.TryDequeue(out var status))
                await e.Request.RespondAsync(new ResponseData
                {
                    Status = (System.Net.HttpStatusCode)status,
                    Headers = new() { ["Access-Control-Allow-Origin"] = "*" },
                });
            else await e.Request.ContinueAsync();
        };
        await tab.GoToAsync(stage.Url(product));
        await stage.Counts(product, 1);
        Assert.Empty(answers);
        await NothingIsKept(tab);
    }

    [Fact]
    public async Task A_clock_that_is_wrong_costs_the_time_and_not_the_event()
    {
        var tab = await stage.OpenTab(await stage.NewVisitor(), product);
        await stage.Counts(product, 1);
        await tab.SetOfflineModeAsync(true);
        await tab.EvaluateExpressionAsync("""
            const Right = Date;
            Date = class extends Right { constructor() { super(Right.now() + 36e5); } };
            tally('ahead');
            """);
        await Keeps(tab, 1);
        await tab.SetOfflineModeAsync(false);
        await stage.Counts(product, 2);
        Assert.All(await stage.Times(product), e => Assert.Equal(e.Created, e.Occurred));
        await NothingIsKept(tab);
    }

    [Theory]
    [InlineData("Object.defineProperty(window, 'localStorage', {get() { throw new Error('denied'); }})")]
    [InlineData("for (let n = 1 << 23; n; n >>= 1) try { localStorage[n] = 'x'.repeat(n); } catch {}")]
    public async Task Without_room_to_keep_it_an_event_is_sent_all_the_same(string storage)
    {
        var tab = await (await stage.NewVisitor()).NewPageAsync();
        await tab.EvaluateExpressionOnNewDocumentAsync(storage);
        await tab.GoToAsync(stage.Url(product));
        await tab.EvaluateExpressionAsync("tally('signup')");
        Assert.Single((await stage.Counts(product, 2)).DistinctBy(e => e.Fingerprint));
    }

    [Fact]
    public async Task A_tag_without_the_sites_key_sends_nothing_and_keeps_nothing()
    {
        var visitor = await stage.NewVisitor();
        var tab = await visitor.NewPageAsync();
        foreach (var key in (string[])["", "another-0123456789"])
        {
            await tab.GoToAsync($"{stage.Url(product)}?key={key}");
            await NothingIsKept(tab);
        }
        await stage.OpenTab(visitor, product);
        await stage.Counts(product, 1);
    }

    [Theory]
    [InlineData("isolated")]
    [InlineData("isolated&tag=defer%20crossorigin")]
    [InlineData("tag=crossorigin%20integrity=HASH")]
    [InlineData("tag=type=module")]
    [InlineData("isolated&tag=type=module")]
    public async Task Every_way_to_load_the_tag_counts(string page)
    {
        var tab = await (await stage.NewVisitor()).NewPageAsync();
        var complaints = Complaints(tab);
        await tab.GoToAsync(
            $"{stage.Url(product)}?{page.Replace("HASH", Uri.EscapeDataString($"\"{await stage.ScriptHash()}\""))}");
        await stage.Counts(product, 1);
        Assert.Equal(page.StartsWith("isolated", StringComparison.Ordinal),
            await tab.EvaluateExpressionAsync<bool>("crossOriginIsolated"));
        await tab.EvaluateExpressionAsync("tally('signup')");
        await stage.Counts(product, 2);
        await NothingIsKept(tab);
        Assert.Empty(complaints);
    }

    [Theory]
    [InlineData("")]
    [InlineData("image.crossOrigin = 'anonymous';")]
    public async Task An_isolated_page_shows_the_pixel(string more)
    {
        var tab = await (await stage.NewVisitor()).NewPageAsync();
        await tab.GoToAsync(stage.Url(product) + "?isolated");
        Assert.Equal("load", await tab.EvaluateExpressionAsync<string>($$"""
            new Promise(done => {
              const image = new Image();
              {{more}}
              image.onload = image.onerror = e => done(e.type);
              image.src = '{{stage.PixelUrl(product)}}';
            })
            """));
        Assert.Equal(["open", "view"], (await stage.Counts(product, 2)).Select(e => e.Action).Order());
    }

    [Fact]
    public async Task A_beacon_of_json_is_recorded()
    {
        var tab = await stage.OpenTab(await stage.NewVisitor(), product);
        await stage.Counts(product, 1);
        var complaints = Complaints(tab);
        foreach (var type in (string[])["application/json", "text/plain", "application/x-www-form-urlencoded"])
        {
            var body = type.EndsWith("encoded", StringComparison.Ordinal)
                ? $"action={type.Length}&product={product}&fingerprint=f"
                : $$"""{"action":"{{type.Length}}","product":"{{product}}","fingerprint":"f"}""";
            Assert.True(
                await tab.EvaluateExpressionAsync<bool>(
                    $"navigator.sendBeacon('{stage.EventsUrl}', new Blob(['{body}'], {{type: '{type}'}}))"));
        }
        Assert.Equal(["10", "16", "33", "view"], (await stage.Counts(product, 4)).Select(e => e.Action).Order());
        Assert.Empty(complaints);
    }

    [Fact]
    public async Task The_same_tag_twice_counts_once()
    {
        var tab = await (await stage.NewVisitor()).NewPageAsync();
        await tab.GoToAsync($"{stage.Url(product)}?again={product}&again={product}");
        await tab.EvaluateExpressionAsync("tally('signup'); history.pushState({}, '', '?next')");
        await NothingIsKept(tab); // everything sent has been answered
        Assert.Equal(["signup", "view", "view"], (await stage.Counts(product, 3)).Select(e => e.Action).Order());
    }

    [Fact]
    public async Task Tags_of_two_products_or_of_two_collectors_both_count()
    {
        var tab = await (await stage.NewVisitor()).NewPageAsync();
        await tab.GoToAsync($"{stage.Url(product)}?again={product}-too");
        await tab.EvaluateExpressionAsync("history.pushState({}, '', '?next')");
        await NothingIsKept(tab);
        await stage.Counts(product, 2);
        await stage.Counts(product + "-too", 2);

        // One tag must not send what the other kept, which would count it in the wrong place.
        await tab.GoToAsync($"{stage.Url(product)}-two?again={product}-two&collector");
        await NothingIsKept(tab);
        await stage.Counts(product + "-two", 2);
        await tab.SetOfflineModeAsync(true);
        await tab.EvaluateExpressionAsync("history.pushState({}, '', '?offline')");
        await Keeps(tab, 2);
        var kept = await tab.EvaluateExpressionAsync<string[]>(
            "Object.keys(localStorage).filter(key => key.startsWith('tally.')).map(key => key.slice(key.indexOf('http')).split('/')[2])");
        Assert.Equal(2, kept.Distinct().Count());
        await tab.SetOfflineModeAsync(false);
        await NothingIsKept(tab);
        await stage.Counts(product + "-two", 4);
    }

    [Fact]
    public async Task Whatever_the_page_gives_it_never_throws_and_counts_what_can_be_counted()
    {
        var tab = await stage.OpenTab(await stage.NewVisitor(), product);
        var complaints = Complaints(tab);
        var thrown = await tab.EvaluateExpressionAsync<string[]>("""
            (() => {
              const circular = {};
              circular.self = circular;
              const broken = () => { throw new Error('broken'); };
              const working = window.fetch;
              return [
                () => tally('bigint', {n: 10n}), () => tally('circular', circular),
                () => tally('getter', {get n() { return broken(); }}), () => tally('json', {toJSON: broken}),
                () => tally('proxy', new Proxy({}, {ownKeys: broken, get: broken})), () => tally('function', () => 1),
                () => tally('symbol', Symbol('s')), () => tally('more', {n: 1}, 2, 3),
                () => tally(), () => tally(null, null), () => tally(Symbol('s'), {}), () => tally(10n),
                () => tally(circular), () => tally({toJSON: broken}),
                () => { window.fetch = broken; tally('fetch'); window.fetch = working; },
              ].flatMap(call => {
                try { call(); return []; } catch (e) { return [`${call}: ${e}`]; }
              });
            })()
            """);
        Assert.Empty(thrown);
        await NothingIsKept(tab);
        Assert.Equal(["bigint", "circular", "fetch", "function", "getter", "json", "more", "proxy", "symbol", "view"],
            (await stage.Counts(product, 10)).Select(e => e.Action).Order());
        Assert.DoesNotContain(complaints, complaint => complaint.Contains("Error", StringComparison.Ordinal));
    }

    private static Task<string> Remembered(IPage tab) => tab.EvaluateExpressionAsync<string>("localStorage.tally");

    private static Task NothingIsKept(IPage tab) => Keeps(tab, 0);

    private static async Task Keeps(IPage tab, int events)
    {
        var kept = -1;
        await Eventually.True(async () => (kept = await Kept(tab)) == events,
            () => $"{kept} events are kept, not {events}.");
    }

    private static Task<int> Kept(IPage tab) =>
        tab.EvaluateExpressionAsync<int>("Object.keys(localStorage).filter(key => key.startsWith('tally.')).length");

    // What the browser reports if a page violates its policy or fails.
    private static List<string> Complaints(IPage tab)
    {
        var complaints = new List<string>();
        tab.Console += (_, e) => complaints.Add(e.Message.Text);
        tab.PageError += (_, e) => complaints.Add(e.Message);
        return complaints;
    }
}
