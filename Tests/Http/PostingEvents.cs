using System.Text.Json;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>Posting an event: receipts, ids and repeats.</summary>
[Collection<SharedApp>]
public sealed class PostingEvents(SharedApps apps)
{
    private const int Clients = 64;
    private readonly string visitor = "visitor-" + Guid.NewGuid();

    [Theory, EachStorage]
    public async Task A_quoted_idempotency_key_is_the_key_between_its_marks(StorageKind storage)
    {
        var shared = await apps.On(storage);
        var visitor = "quoted-" + Guid.NewGuid();
        var form = $"action=view&product=k8s&fingerprint={visitor}";
        foreach (var (header, id) in ((string, string)[])
                 [
                     ("\"order-17\"", "order-17"), ("\"a\\\"b\\\\c\"", "a\"b\\c"), ("\" \"", " "), ("\"a, b\"", "a, b"),
                     ("\"a", "\"a"), ("a\"", "a\""), ("\"", "\""), ("\"a\"b\"", "\"a\"b\""), ("\"a\\b\"", "\"a\\b\""),
                     ("\"a\\\"", "\"a\\\""), ("'a'", "'a'"),
                 ])
        {
            var first = await shared.App.PostForm(form, idempotencyKey: header);
            Assert.Equal((200, id, false), (first.Status, first.Text("id"), first.Duplicate));
            Assert.True((await shared.App.PostForm(form, idempotencyKey: header)).Duplicate);
            Assert.True(
                (await shared.App.PostForm($"{form}&id={Uri.EscapeDataString(id)}", idempotencyKey: header)).Duplicate);
        }
        (await shared.App.PostForm(form, idempotencyKey: "\"\"")).AssertRefused(422, "missing_field", "id");
        (await shared.App.PostForm(form + "&id=b", idempotencyKey: "\"a\"")).AssertRefused(422, "id_mismatch", "id");
        Assert.Equal(11, await shared.Rows(visitor));

        var item = $$"""[{"action":"view","product":"k8s","fingerprint":"{{visitor}}"}]""";
        Assert.Equal(1, (await shared.App.PostBatch(item, idempotencyKey: "\"upload-7\"")).Batch.Recorded);
        Assert.Equal(1, (await shared.App.PostBatch(item, idempotencyKey: "upload-7")).Batch.Repeated);
    }

    [Theory, EachStorage]
    public async Task A_form_gets_a_receipt_with_an_id_of_its_own(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        var receipt = await app.PostForm($"action=view&product=k8s&fingerprint={visitor}");
        Assert.Equal((200, "application/json"), (receipt.Status, receipt.ContentType));
        Assert.Equal(["id", "fingerprint", "sequence", "duplicate"],
            receipt.Body.EnumerateObject().Select(field => field.Name));
        Assert.Equal(7, Guid.Parse(receipt.Text("id")!).Version);
        Assert.Equal((visitor, 1L, false), (receipt.Text("fingerprint"), receipt.Sequence, receipt.Duplicate));

        var next = await app.PostForm($"action=view&product=k8s&fingerprint={visitor}");
        Assert.Equal((2L, false), (next.Sequence, next.Duplicate));
        Assert.NotEqual(receipt.Text("id"), next.Text("id"));
    }

    [Theory, EachStorage]
    public async Task The_same_event_in_json_and_in_a_form_is_the_same_event(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        var json = await app.PostJson(Json("sign up", "k8s & more", "käse-17"));
        var form = await app.PostForm($"action=sign+up&product=k8s%20%26%20more&fingerprint={visitor}&id=k%C3%A4se-17");
        Assert.Equal(("käse-17", 1L, false), (json.Text("id"), json.Sequence, json.Duplicate));
        Assert.Equal(("käse-17", 1L, true), (form.Text("id"), form.Sequence, form.Duplicate));
    }

    [Theory, EachStorage]
    public async Task The_idempotency_key_is_the_id(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        var form = $"action=view&product=k8s&fingerprint={visitor}";
        var header = await app.PostForm(form, idempotencyKey: "order-17");
        var both = await app.PostForm(form + "&id=order-17", idempotencyKey: "order-17");
        var body = await app.PostForm(form + "&id=order-17");
        Assert.Equal(("order-17", false), (header.Text("id"), header.Duplicate));
        Assert.All([both, body],
            repeat => Assert.Equal(("order-17", 1L, true), (repeat.Text("id"), repeat.Sequence, repeat.Duplicate)));
    }

    [Theory, EachStorage]
    public async Task Ids_that_differ_are_refused_and_nothing_is_recorded(StorageKind storage)
    {
        var shared = await apps.On(storage);
        var form = $"action=view&product=k8s&fingerprint={visitor}";
        (await shared.App.PostForm(form + "&id=a", idempotencyKey: "b")).AssertRefused(422, "id_mismatch", "id");
        (await shared.App.PostForm(form, idempotencyKey: "")).AssertRefused(422, "missing_field", "id");
        Assert.Equal(0, await shared.Rows(visitor));
    }

    // A form sends all of its inputs, and the optional ones are often left empty.
    [Theory, EachStorage]
    public async Task An_optional_field_that_is_empty_is_one_that_is_not_there(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        var receipt =
            await app.PostForm($"action=view&product=k8s&fingerprint={visitor}&id=&timestamp=&occurred=&properties=");
        Assert.Equal((200, 7), (receipt.Status, Guid.Parse(receipt.Text("id")!).Version));
        Assert.Equal("key",
            (await app.PostForm($"action=view&product=k8s&fingerprint={visitor}&id=", idempotencyKey: "key")).Text(
                "id"));
        Assert.Equal(200,
            (await app.PostJson(
                $$"""{"action":"view","product":"k8s","fingerprint":"{{visitor}}","id":"","timestamp":"","properties":""}""")).Status);
        Assert.Equal(3, (await app.View(visitor)).Body.GetProperty("total").GetInt64());
        (await app.PostForm("action=view&product=k8s&fingerprint=")).AssertRefused(422, "missing_field", "fingerprint");
    }

    [Theory, EachStorage]
    public async Task A_number_in_a_text_field_is_its_own_digits(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        var receipt =
            await app.PostJson("""{"action":1.50,"product":-2,"fingerprint":12345678901234567890,"id":1e3}""");
        Assert.Equal((200, "1e3", "12345678901234567890"),
            (receipt.Status, receipt.Text("id"), receipt.Text("fingerprint")));
        var count = (await app.View("12345678901234567890")).Body.GetProperty("counts")[0];
        Assert.Equal(("-2", "1.50"),
            (count.GetProperty("product").GetString(), count.GetProperty("action").GetString()));
    }

    [Theory, EachStorage]
    public async Task A_uuid_is_kept_in_the_log_and_given_back_as_it_was_written(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        var id = Guid.NewGuid();
        var written = id.ToString().ToUpperInvariant();
        Assert.Equal(written, (await app.PostJson(Json("view", "k8s", written))).Text("id"));
        Assert.True((await app.PostJson(Json("view", "k8s", id.ToString()))).Duplicate);
        var events = (await app.Get(Requests.Path(visitor) + "/events")).Body.GetProperty("events");
        Assert.Equal([id], events.EnumerateArray().Select(e => e.GetProperty("id").GetGuid()));
    }

    [Theory, EachStorage]
    public async Task An_id_with_other_content_is_a_conflict_and_leaves_the_first_as_it_was(StorageKind storage)
    {
        var shared = await apps.On(storage);
        await shared.App.PostJson(Json("view", "k8s", "order-17"));
        (await shared.App.PostJson(Json("buy", "k8s", "order-17"))).AssertRefused(409, "id_conflict", "id");
        (await shared.App.PostJson(Json("view", "vms", "order-17"))).AssertRefused(409, "id_conflict", "id");
        Assert.Equal(1, await shared.Rows(visitor));
        Assert.Equal(1, (await shared.App.View(visitor)).Body.GetProperty("total").GetInt64());
    }

    [Theory, EachStorage]
    public async Task An_id_belongs_to_one_fingerprint(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        var form = $"action=view&product=k8s&id=order-17&fingerprint={visitor}";
        Assert.Equal((1L, false),
            ((await app.PostForm(form)).Sequence, (await app.PostForm(form + "-other")).Duplicate));
    }

    [Theory, EachStorage]
    public async Task A_repeat_while_the_first_is_under_way_waits_for_its_commit(StorageKind storage)
    {
        var shared = await apps.On(storage);
        Task<Answer>[] posts;
        await using (await shared.Database.HoldWrites())
        {
            posts = [.. Enumerable.Range(0, Clients).Select(_ => shared.App.PostJson(Json("view", "k8s", "order-17")))];
            // Not committed, so not counted, and not acknowledged to anyone.
            (await shared.App.View(visitor)).AssertRefused(404, "unknown_fingerprint", "fingerprint");
            Assert.DoesNotContain(posts, post => post.IsCompleted);
        }
        var receipts = await Task.WhenAll(posts);
        Assert.All(receipts, receipt => Assert.Equal((200, 1L), (receipt.Status, receipt.Sequence)));
        Assert.Single(receipts, receipt => !receipt.Duplicate);
        Assert.Equal(1, await shared.Rows(visitor));
    }

    [Theory, EachStorage]
    public async Task Many_clients_of_one_fingerprint_are_counted_exactly(StorageKind storage)
    {
        const int each = 20;
        var shared = await apps.On(storage);
        var receipts = await Task.WhenAll(Enumerable.Range(0, Clients).Select(async client =>
        {
            var mine = new List<Answer>();
            for (var i = 0; i < each; i++)
            {
                // Every event is sent twice, as by a client that lost the first reply.
                var form = $"action=view&product=p{i % 4}&fingerprint={visitor}&id={client}-{i}";
                mine.Add(await shared.App.PostForm(form));
                mine.Add(await shared.App.PostForm(form));
            }
            return mine;
        }));
        Assert.All(receipts.SelectMany(mine => mine), receipt => Assert.Equal(200, receipt.Status));
        Assert.Equal(Enumerable.Range(1, Clients * each).Select(sequence => (long)sequence),
            receipts.SelectMany(mine => mine).Where(receipt => !receipt.Duplicate).Select(receipt => receipt.Sequence)
                .Order());

        var view = (await shared.App.View(visitor)).Body;
        Assert.Equal(Clients * each, view.GetProperty("total").GetInt64());
        Assert.Equal([320L, 320, 320, 320],
            view.GetProperty("counts").EnumerateArray().Select(count => count.GetProperty("count").GetInt64()));
        Assert.Equal(Clients * each, await shared.Rows(visitor));
    }

    private string Json(string action, string product, string id) =>
        JsonSerializer.Serialize(new { action, product, fingerprint = visitor, id });
}
