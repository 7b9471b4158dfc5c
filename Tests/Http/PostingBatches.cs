using System.Text.Json;
using Tally.Silo.Http.Batches;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>Many events in one request: each is recorded or refused as it would be alone.</summary>
[Collection<SharedApp>]
public sealed class PostingBatches(SharedApps apps)
{
    private const string Lines = "application/x-ndjson";

    private readonly string visitor = "batch-" + Guid.NewGuid();

    [Theory, EachStorage]
    public async Task Every_item_is_recorded_in_its_order_and_a_second_sending_repeats_them_all(StorageKind storage)
    {
        var shared = await apps.On(storage);
        // More than one part of a body and more than one run of a grain.
        var items = Enumerable.Range(0, 2_500).Select(i => Item($"view-{i % 3}", id: $"id-{i}")).ToList();
        AssertBatch(new(2_500, 2_500, 0, []), await shared.App.PostBatch(Array(items)));
        AssertBatch(new(2_500, 0, 2_500, []), await shared.App.PostBatch(string.Join('\n', items), contentType: Lines));
        Assert.Equal(2_500, await shared.Rows(visitor));
        var view = (await shared.App.View(visitor)).Body;
        Assert.Equal(["view-0", "view-1", "view-2"],
            view.GetProperty("counts").EnumerateArray().Select(count => count.GetProperty("action").GetString()));
        // The order in the log is the batch's.
        var page = await shared.App.Get(Requests.Path(visitor) + "/events?limit=1000");
        Assert.Equal(Enumerable.Range(0, 1_000).Select(i => $"view-{i % 3}"),
            page.Body.GetProperty("events").EnumerateArray().Select(e => e.GetProperty("action").GetString()));
    }

    [Theory, EachStorage]
    public async Task Items_of_many_fingerprints_without_ids_are_new_events_each_time(StorageKind storage)
    {
        var shared = await apps.On(storage);
        var batch = Array(Enumerable.Range(0, 900).Select(i => Item("view", fingerprint: $"{visitor}-{i % 300}")));
        for (var sending = 1; sending <= 2; sending++)
        {
            AssertBatch(new(900, 900, 0, []), await shared.App.PostBatch(batch));
            Assert.Equal(3 * sending, (await shared.App.View($"{visitor}-299")).Body.GetProperty("total").GetInt64());
        }
    }

    [Theory, EachStorage]
    public async Task What_is_refused_is_named_with_its_place_and_the_others_are_recorded(StorageKind storage)
    {
        var shared = await apps.On(storage);
        await shared.App.PostJson(Item("view", id: "taken"));
        var answer = await shared.App.PostBatch(Array(
        [
            Item("view", id: "first"), Item(""), "17", "null", "[]", "\"text\"", Item("view", id: "taken"),
            Item("buy", id: "taken"),
            Item("view", id: "first"), Item("buy", id: "first"), Item(new string('a', 257)),
            Item("view")[..^1] + ",\"action\":\"view\"}",
            Item("view")[..^1] + ",\"id\":true}", Item("view").Replace("k8s", "\\ud800"),
            Item("view")[..^1] + ",\"timestamp\":\"today\"}",
            Item("view")[..^1] + $",\"other\":\"{new string('a', 65_536)}\"}}", Item("view", id: "last"),
        ]));
        Assert.Equal(200, answer.Status);
        Assert.Equal([(1, 422, "missing_field", "action"), (2, 400, "malformed_body", null),
            (3, 400, "malformed_body", null), (4, 400, "malformed_body", null),
            (5, 400, "malformed_body", null), (7, 409, "id_conflict", "id"), (9, 409, "id_conflict", "id"),
            (10, 422, "too_long", "action"),
            (11, 422, "duplicate_field", "action"), (12, 422, "invalid_type", "id"),
            (13, 422, "invalid_characters", "product"), (14, 422, "invalid_timestamp", "timestamp"),
            (15, 413, "body_too_large", null)],
            answer.Batch.Refused.Select(item => (item.Index, item.Status, item.Reason, item.Field)));
        Assert.Equal((17, 2, 2), (answer.Batch.Handled, answer.Batch.Recorded, answer.Batch.Repeated));
        Assert.All(answer.Batch.Refused, item => Assert.NotEqual("", item.Detail));
        Assert.Equal(3, await shared.Rows(visitor));
    }

    [Theory, EachStorage]
    public async Task An_idempotency_key_gives_each_item_without_an_id_one_by_its_place(StorageKind storage)
    {
        var shared = await apps.On(storage);
        var batch = Array([Item("view"), Item("view"), Item("view", id: "own"), Item("")]);
        Assert.Equal((3, 0), await RecordedAndRepeated(shared.App.PostBatch(batch, "key")));
        Assert.Equal((0, 3), await RecordedAndRepeated(shared.App.PostBatch(batch, "key")));
        Assert.Equal((2, 1), await RecordedAndRepeated(shared.App.PostBatch(batch, "other")));
        Assert.True((await shared.App.PostJson(Item("view", id: "key/1"))).Duplicate);
        Assert.Equal(5, await shared.Rows(visitor));
    }

    [Theory, EachStorage]
    public async Task Lines_may_be_blank_and_the_last_one_ended_or_not(StorageKind storage)
    {
        var shared = await apps.On(storage);
        foreach (var (lines, items) in ((string, int)[])
                 [
                     (Item("a"), 1), (Item("a") + "\n", 1), (Item("a") + "\r\n" + Item("b") + "\r\n\r\n", 2),
                     ("\n\n" + Item("a") + "\n\n\n" + Item("b"), 2),
                     ("{\n" + Item("a")[1..], 1), (Item("a") + " " + Item("b") + " \n ", 2),
                 ])
            AssertBatch(new(items, items, 0, []), await shared.App.PostBatch(lines, contentType: Lines));
        AssertBatch(new(0, 0, 0, []), await shared.App.PostBatch("[]"));
        AssertBatch(new(0, 0, 0, []), await shared.App.PostBatch("", contentType: Lines));
        AssertBatch(new(1, 1, 0, []),
            await shared.App.PostBatch(" \n[ " + Item("a") + " ]\r\n", contentType: "text/plain;charset=UTF-8"));
    }

    [Theory, EachStorage]
    public async Task The_same_batch_from_many_clients_at_once_counts_once(StorageKind storage)
    {
        const int clients = 16, items = 200;
        var shared = await apps.On(storage);
        var batch =
            Array(Enumerable.Range(0, items)
                .Select(i => Item("view", id: $"id-{i}", fingerprint: $"{visitor}-{i % 10}")));
        Task<Answer>[] posts;
        await using (await shared.Database.HoldWrites())
        {
            posts = [.. Enumerable.Range(0, clients).Select(_ => shared.App.PostBatch(batch))];
            (await shared.App.View($"{visitor}-0")).AssertRefused(404, "unknown_fingerprint", "fingerprint");
            Assert.DoesNotContain(posts, post => post.IsCompleted);
        }
        var receipts = (await Task.WhenAll(posts)).Select(answer => answer.Batch).ToList();
        Assert.Empty(receipts.SelectMany(receipt => receipt.Refused).Take(1));
        Assert.All(receipts,
            receipt => Assert.Equal((items, items), (receipt.Handled, receipt.Recorded + receipt.Repeated)));
        Assert.Equal(items, receipts.Sum(receipt => receipt.Recorded));
        for (var i = 0; i < 10; i++) Assert.Equal(items / 10, await shared.Rows($"{visitor}-{i}"));
    }

    private string Item(string action, string? id = null, string? fingerprint = null) => id is null
        ? $$"""{"action":"{{action}}","product":"k8s","fingerprint":"{{fingerprint ?? visitor}}"}"""
        : $$"""{"action":"{{action}}","product":"k8s","fingerprint":"{{fingerprint ?? visitor}}","id":"{{id}}"}""";

    private static string Array(IEnumerable<string> items) => $"[{string.Join(',', items)}]";

    private static async Task<(int, int)> RecordedAndRepeated(Task<Answer> post) =>
        ((await post).Batch.Recorded, (await post).Batch.Repeated);

    private static void AssertBatch(BatchReceipt expected, Answer answer)
    {
        Assert.Equal((200, "application/json"), (answer.Status, answer.ContentType));
        Assert.Equal(JsonSerializer.Serialize(expected), JsonSerializer.Serialize(answer.Batch));
    }
}
