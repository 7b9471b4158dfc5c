using System.Globalization;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>
/// Batches that break off, turn into nonsense, or are too large: the answer says exactly what is recorded.
/// </summary>
public sealed class HostileBatches(SharedApps apps) : IClassFixture<SharedApps>
{
    private const string Lines = "application/x-ndjson";
    private const string Json = "application/json";

    private readonly string visitor = "hostile-batch-" + Guid.NewGuid();
    private int sent;

    private string Item() => $$"""{"action":"view","product":"k8s","fingerprint":"{{visitor}}","id":"id-{{sent++}}"}""";

    private string Items(int count, char between = ',') =>
        string.Join(between, Enumerable.Range(0, count).Select(_ => Item()));

    [Theory, EachStorage]
    public async Task Of_a_body_that_turns_invalid_the_items_before_are_recorded(StorageKind storage)
    {
        var shared = await apps.On(storage);
        var rows = 0;
        foreach (var (begin, rest, contentType, items) in ((string, string, string, int)[])
                 [
                     ("", "", Json, 0), ("", " \n", Json, 0), ("", "null", Json, 0), ("", "\"text\"", Json, 0),
                     ("", "\ufeff\ufeff[]", Json, 0),
                     (Item(), "", Json, 0), ("[", "", Json, 0), ("[", "]]", Json, 0), ("[", "},{}]", Json, 0),
                     ("[", ",{}]", Json, 0),
                     ("[" + Items(3), "", Json, 3), ("[" + Items(3), ",", Json, 3), ("[" + Items(3), ",]", Json, 3),
                     ("[" + Items(3), "}", Json, 3),
                     ("[" + Items(3), "] []", Json, 3), ("[" + Items(3), "],", Json, 3),
                     ("[" + Items(3), ",{\"action\":\"view\"", Json, 3),
                     ("[" + Items(1_500), ",nonsense]", Json, 1_500), ("[" + Items(1_000), "", Json, 1_000),
                     ("[" + Items(3), ",{\"x\":\"\n\"}]", Json, 3), ("[" + Items(3), ",{'x':1}]", Json, 3),
                     (Items(3, '\n'), "\n{\"action\":\"view\"", Lines, 3),
                     (Items(3, '\n'), "\nnonsense\n" + Item(), Lines, 3), (Items(3, '\n'), "," + Item(), Lines, 3),
                     (Items(3, '\n'), "\n" + new string('[', 100), Lines, 3),
                 ])
        {
            var answer = await shared.App.PostBatch(begin + rest, contentType: contentType);
            Assert.True((400, "malformed_body") == (answer.Status, answer.Reason),
                $"{answer.Status} {answer.Reason} of {items} items and {rest}");
            Assert.True(
                (items, items, 0, 0) == (answer.Batch.Handled, answer.Batch.Recorded, answer.Batch.Repeated,
                    answer.Batch.Refused.Count),
                $"{answer.Batch} of {items} items and {rest}");
            Assert.Equal(rows += items, await shared.Rows(visitor));
        }
    }

    // A mistake in one item does not affect the others, and one in a field that is not kept does not matter.
    [Theory, EachStorage]
    public async Task Items_answer_for_themselves_in_well_formed_json(StorageKind storage)
    {
        var shared = await apps.On(storage);
        (string More, string? Reason)[] items =
        [
            ("\"x\":" + new string('[', 500) + new string(']', 500), null), ("\"x\":1,\"x\":2", null),
            ("\"x\":\"\\ud800\\u0000\",\"\\udc00\":1", null),
            ("\"properties\":{\"a\":1,\"a\":2}", null), ("\"properties\":{\"a\":\"\\ud83d\"}", null),
            ("\"properties\":\"{}\"", null), ("\"properties\":\"\"", null),
            ("\"action\":\"view\"", "duplicate_field"), ("\"properties\":[]", "invalid_properties"),
            ("\"timestamp\":{}", "invalid_type"), ("\"timestamp\":\"\"", null),
            ("\"properties\":{\"a\":" + new string('[', 64) + new string(']', 64) + "}", "invalid_properties"),
        ];
        var batch = items.Select(item => $"{Item()[..^1]},{item.More}}}").ToList();
        foreach (var (body, contentType) in ((string, string)[])[($"\ufeff[{string.Join(',', batch)}]", Json),
            ("\ufeff" + string.Join('\n', batch), Lines)])
        {
            var answer = await shared.App.PostBatch(body, contentType: contentType);
            Assert.Equal((200, items.Length), (answer.Status, answer.Batch.Handled));
            Assert.Equal(
                items.Index().Where(one => one.Item.Reason is not null).Select(one => (one.Index, one.Item.Reason!)),
                answer.Batch.Refused.Select(refused => (refused.Index, refused.Reason)));
        }
        Assert.Equal(items.Count(item => item.Reason is null), await shared.Rows(visitor));
    }

    [Theory, EachStorage]
    public async Task Of_a_body_that_breaks_off_the_items_that_it_says_are_recorded(StorageKind storage)
    {
        var shared = await apps.On(storage);
        var body = "[" + Items(20);
        await using (var connection = await RawConnection.To(shared.App))
        {
            await connection.Send(Head($"Content-Length: {body.Length + 100}") + body);
            connection.EndSending();
            if (await connection.Receive() is { } answer)
            {
                Assert.Equal((400, "malformed_body"), (answer.Status, answer.Reason));
                Assert.Equal(await shared.Rows(visitor),
                    answer.Body.GetProperty("batch").GetProperty("recorded").GetInt64());
            }
        }
        await using (var connection = await RawConnection.To(shared.App))
        {
            await connection.Send(Head("Transfer-Encoding: chunked") + $"{body.Length:x}\r\n{body}\r\nzz\r\n");
            if (await connection.Receive() is { } answer)
                Assert.Equal((400, "malformed_body"), (answer.Status, answer.Reason));
        }
        // Whatever part of it was recorded, sending the whole batch again counts each item once.
        var repeated = await shared.App.PostBatch(body + "]");
        Assert.Equal((20, 0), (repeated.Batch.Recorded + repeated.Batch.Repeated, repeated.Batch.Refused.Count));
        Assert.Equal(20, await shared.Rows(visitor));
    }

    [Theory, EachStorage]
    public async Task Beyond_a_limit_the_items_before_it_are_recorded(StorageKind storage)
    {
        var shared = await apps.On(storage);
        var most = await shared.App.PostBatch("[" + Items(5_000) + "]");
        Assert.Equal((200, 5_000), (most.Status, most.Batch.Recorded));

        var tooMany = await shared.App.PostBatch("[" + Items(5_001) + "]");
        tooMany.AssertRefused(413, "body_too_large");
        Assert.Equal((5_000, 5_000), (tooMany.Batch.Handled, tooMany.Batch.Recorded));

        // Once without a length to refuse by beforehand, and once with one.
        var tooLong = "[" + Items(10) + new string(' ', 4 << 20) + "," + Item() + "]";
        await using var connection = await RawConnection.To(shared.App);
        await connection.TrySend(Head("Transfer-Encoding: chunked") + $"{tooLong.Length:x}\r\n{tooLong}\r\n0\r\n\r\n");
        var answer = (await connection.Receive())!;
        Assert.Equal((413, "body_too_large", 10),
            (answer.Status, answer.Reason, answer.Body.GetProperty("batch").GetProperty("recorded").GetInt32()));
        var known = await shared.App.PostBatch(tooLong);
        known.AssertRefused(413, "body_too_large");
        Assert.False(known.Body.TryGetProperty("batch", out _)); // nothing of it was read

        var exact = "[" + Items(10) + "]";
        Assert.Equal(200, (await shared.App.PostBatch(exact + new string(' ', (4 << 20) - exact.Length))).Status);
        Assert.Equal(10_020, await shared.Rows(visitor));
    }

    [Theory, EachStorage]
    public async Task A_huge_item_is_refused_alone(StorageKind storage)
    {
        var shared = await apps.On(storage);
        foreach (var huge in (string[])
                 [
                     "\"" + new string('a', 3 << 20) + "\"",
                     Item()[..^1] + ",\"properties\":{\"a\":\"" + new string('a', 3 << 20) + "\"}}",
                     "[" + string.Concat(Enumerable.Repeat("0,", 1 << 20)) + "0]",
                     Item()[..^1] + string.Concat(Enumerable.Range(0, 100_000).Select(i => $",\"f{i}\":0")) + "}",
                 ])
        {
            var answer = await shared.App.PostBatch($"[{Item()},{huge},{Item()}]");
            Assert.Equal(200, answer.Status);
            Assert.Equal((1, 413, "body_too_large"),
                Assert.Single(answer.Batch.Refused) is var refused ? (refused.Index, refused.Status, refused.Reason)
                    : default);
            Assert.Equal(2, answer.Batch.Recorded);
        }
        Assert.Equal(8, await shared.Rows(visitor));
    }

    [Theory, EachStorage]
    public async Task Other_content_types_and_keys_are_refused_whole(StorageKind storage)
    {
        var shared = await apps.On(storage);
        var batch = "[" + Items(3) + "]";
        foreach (var contentType in (string[])["application/x-www-form-urlencoded", "application/json; charset=utf-16",
            "multipart/form-data; boundary=x", "application/jsonx", "json", ""])
            (await shared.App.PostBatch(batch, contentType: contentType)).AssertRefused(415, "unsupported_media_type");
        (await shared.App.PostBatch(batch, "")).AssertRefused(422, "missing_field", "Idempotency-Key");
        (await shared.App.PostBatch(batch, new string('k', 124))).AssertRefused(422, "too_long", "Idempotency-Key");
        Assert.Equal(0, await shared.Rows(visitor));
        Assert.Equal(3, (await shared.App.PostBatch(batch, new string('k', 123))).Batch.Recorded);
    }

    private static string Head(string framing) => string.Create(CultureInfo.InvariantCulture,
        $"POST {Requests.BatchPath} HTTP/1.1\r\nHost: tally\r\nContent-Type: application/json\r\n{framing}\r\n\r\n");
}
