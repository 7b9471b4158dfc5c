using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>Requests that are broken as HTTP. They never reach a storage, so one storage is enough.</summary>
public sealed class HostileFraming(SharedApps apps) : IClassFixture<SharedApps>
{
    private readonly string framed = "framed-" + Guid.NewGuid();

    private string Good => "action=view&product=k8s&fingerprint=" + framed;

    [Fact]
    public async Task A_body_that_ends_early_is_not_recorded()
    {
        var shared = await Begin();
        foreach (var reset in (bool[])[false, true])
        {
            await using var connection = await RawConnection.To(shared.App);
            await connection.Send(Head($"Content-Length: {Good.Length + 1}") + Good);
            if (reset) continue; // hangs up
            connection.EndSending();
            Assert.True(await connection.Receive() is null or { Status: 400 });
        }
        await AssertServesAndRecorded(shared, 0);
    }

    [Fact]
    public async Task A_body_that_trickles_is_given_up_while_others_are_served()
    {
        var shared = await Begin();
        await using var connection = await RawConnection.To(shared.App);
        await connection.Send(Head("Content-Length: 10000") + Good);
        var answer = connection.Receive();
        var served = 0;
        while (!answer.IsCompleted)
        {
            await connection.TrySend("&");
            Assert.Equal(200, (await shared.App.PostForm("action=view&product=k8s&fingerprint=meanwhile")).Status);
            served++;
            await Task.WhenAny(answer, Task.Delay(200)); // the trickle's pace, about 5 bytes a second
        }
        Assert.True(served > 1);
        var refusal = await answer;
        Assert.Equal((408, "body_too_slow"), (refusal!.Status, refusal.Reason));
        await AssertServesAndRecorded(shared, 0);
    }

    [Fact]
    public async Task A_chunked_body_is_taken_and_one_beyond_the_limit_refused()
    {
        var shared = await Begin();
        await using (var connection = await RawConnection.To(shared.App))
        {
            await connection.Send(Head("Transfer-Encoding: chunked") + string.Concat(Good.Select(c => $"1\r\n{c}\r\n"))
                + "0\r\n\r\n");
            Assert.Equal(200, (await connection.Receive())!.Status);
        }
        await using (var connection = await RawConnection.To(shared.App))
        {
            await connection.Send(Head("Transfer-Encoding: chunked") + Chunk(Good));
            for (var sent = 0; sent < 66; sent++) await connection.TrySend(Chunk("&n=" + new string('a', 1021)));
            await connection.TrySend("0\r\n\r\n");
            var refusal = await connection.Receive();
            Assert.Equal((413, "body_too_large"), (refusal!.Status, refusal.Reason));
        }
        await AssertServesAndRecorded(shared, 1);
    }

    [Fact]
    public async Task Broken_chunks_are_refused()
    {
        var shared = await Begin();
        foreach (var chunks in (string[])["zz\r\n", "-1\r\n" + Good, Chunk(Good) + "0\r\nx",
            $"{Good.Length - 1:x}\r\n{Good}\r\n0\r\n\r\n", "ffffffffffffffff\r\n" + Good])
        {
            await using var connection = await RawConnection.To(shared.App);
            await connection.Send(Head("Transfer-Encoding: chunked") + chunks);
            connection.EndSending();
            Assert.True(await connection.Receive() is null or { Status: 400 }, chunks);
        }
        await AssertServesAndRecorded(shared, 0);
    }

    [Fact]
    public async Task Two_ways_to_say_where_a_body_ends_smuggle_nothing()
    {
        var shared = await Begin();
        var smuggled = Head($"Content-Length: {Good.Length}") + Good;
        foreach (var framing in (string[])
                 [
                     "Content-Length: 6\r\nTransfer-Encoding: chunked",
                     "Transfer-Encoding: chunked\r\nContent-Length: 6",
                     "Content-Length: 6\r\nContent-Length: 0", "Content-Length: 6, 0", "Transfer-Encoding: xchunked",
                     "Transfer-Encoding: chunked, identity",
                     "Transfer-Encoding: identity", "Content-Length: 0x6", "Content-Length : 6",
                     "Transfer-Encoding : chunked",
                     "Content-Length: -1", "Content-Length: 99999999999999999999",
                 ])
        {
            await using var connection = await RawConnection.To(shared.App);
            await connection.TrySend(Head(framing) + "0\r\n\r\n" + smuggled);
            // However the framing is read, the first request is refused, and no second one is read from the connection.
            Assert.InRange((await connection.Receive())!.Status, 400, 422);
            Assert.True(await connection.Receive() is null, framing);
        }
        await AssertServesAndRecorded(shared, 0);
    }

    [Fact]
    public async Task Pipelined_requests_are_answered_in_order()
    {
        var shared = await Begin();
        await using var connection = await RawConnection.To(shared.App);
        var post = Head($"Content-Length: {Good.Length}") + Good;
        await connection.Send(post + "GET /nope HTTP/1.1\r\nHost: tally\r\n\r\n" + Head("Content-Length: 1") + "x"
            + post);
        Assert.Equal((200, 1L), ((await connection.Receive()) is { } first ? (first.Status, first.Sequence) : default));
        Assert.Equal("not_found", (await connection.Receive())!.Reason);
        Assert.Equal("missing_field", (await connection.Receive())!.Reason);
        Assert.Equal((200, 2L), ((await connection.Receive()) is { } last ? (last.Status, last.Sequence) : default));
        await AssertServesAndRecorded(shared, 2);
    }

    [Fact]
    public async Task Huge_and_broken_heads_are_refused()
    {
        var shared = await Begin();
        foreach (var (head, status, reason) in ((string, int, string)[])
                 [
                     ($"GET /health/live HTTP/1.1\r\nHost: tally\r\nX: {new string('a', 40_000)}\r\n\r\n", 431,
                         "head_too_large"),
                     ($"GET /health/live HTTP/1.1\r\nHost: tally\r\n{string.Concat(Enumerable.Range(0, 200).Select(i => $"X{i}: a\r\n"))}\r\n", 431, "head_too_large"),
                     ($"GET /api/fingerprints/{new string('a', 9_000)} HTTP/1.1\r\nHost: tally\r\n\r\n", 414,
                         "path_too_long"),
                     ("GET /api/fingerprints/%00 HTTP/1.1\r\nHost: tally\r\n\r\n", 400, "malformed_request"),
                     ("GET /api/fingerprints/\u00c3\u00a9 HTTP/1.1\r\nHost: tally\r\n\r\n", 400, "malformed_request"),
                     ("GET /health/live HTTP/1.1\r\n\r\n", 400, "malformed_request"),
                     ("GET /health/live HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "malformed_request"),
                     ("GET /health/live HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "malformed_request"),
                     ("GET * HTTP/1.1\r\nHost: tally\r\n\r\n", 405, "method_not_allowed"),
                     ("POST /api/events HTTP/1.0\r\nHost: tally\r\n\r\n", 400, "malformed_request"),
                     ("POST /api/events HTTP/1.1\r\nHost: tally\r\nContent-Length: x\r\n\r\n", 400,
                         "malformed_request"),
                     ("GET /health/live HTTP/1.1\r\nHost: tally\r\nX: a\u0000b\r\n\r\n", 400, "malformed_request"),
                     ("GET /health/live HTTP/9.9\r\nHost: tally\r\n\r\n", 505, "unsupported_version"),
                     ("\u0016\u0003\u0001\u0002\u0000\u0001\r\n\r\n", 400, "malformed_request"),
                     ("G\u0000T / HTTP/1.1\r\nHost: tally\r\n\r\n", 400, "malformed_request"),
                     ("OPTIONS * HTTP/1.1\r\nHost: tally\r\n\r\n", 405, "method_not_allowed"),
                     ("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 405, "method_not_allowed"),
                 ])
        {
            await using var connection = await RawConnection.To(shared.App);
            await connection.TrySend(head);
            AssertProblem(status, reason, await connection.Receive());
        }
        await AssertServesAndRecorded(shared, 0);
    }

    [Fact]
    public async Task A_broken_head_is_refused_with_a_reason_wherever_it_comes_on_a_connection()
    {
        var shared = await Begin();
        // The earlier answers leave less and less room in the buffer that the server writes to.
        for (var before = 0; before < 40; before++)
        {
            await using var connection = await RawConnection.To(shared.App);
            await connection.TrySend(
                string.Concat(Enumerable.Repeat("GET /health/live HTTP/1.1\r\nHost: tally\r\n\r\n", before))
                    + "BROKEN\r\n\r\n");
            for (var i = 0; i < before; i++) Assert.Equal(200, (await connection.Receive())!.Status);
            AssertProblem(400, "malformed_request", await connection.Receive());
            Assert.Null(await connection.Receive());
        }
    }

    [Fact]
    public async Task A_head_that_does_not_come_in_time_is_refused_with_a_reason()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, apps.Server);
        await using var app = await AppProcess.Start(database, new() { ["Limits__HeadSecondsMax"] = "1" });
        await using var connection = await RawConnection.To(app);
        await connection.Send("GET /health/live HTTP/1.1\r\nHost: ta");
        AssertProblem(408, "head_too_slow", await connection.Receive());
        Assert.Null(await connection.Receive());
    }

    // Every refusal has this document, whoever refuses.
    private static void AssertProblem(int status, string reason, RawAnswer? answer)
    {
        Assert.Equal((status, reason), (answer!.Status, answer.Reason));
        Assert.Equal(status, answer.Body.GetProperty("status").GetInt32());
        Assert.Equal("about:blank", answer.Text("type"));
        Assert.All((string[])["title", "detail"], name => Assert.NotEmpty(answer.Text(name)!));
    }

    [Fact]
    public async Task A_path_that_is_to_be_resolved_or_decoded_twice_names_no_other_fingerprint()
    {
        var shared = await Begin();
        Assert.Equal(200, (await shared.App.PostForm(Good)).Status);
        foreach (var (path, status, reason) in ((string, int, string?)[])
                 [
                     ($"/api/fingerprints/{framed}", 200, null), ($"http://tally/api/fingerprints/{framed}", 200, null),
                     ($"/API/Fingerprints/{framed}", 200, null),
                     ($"/api/fingerprints/%66{framed[1..]}", 200, null),
                     ($"/api/fingerprints/{framed}?fingerprint=other", 422, "unknown_parameter"),
                     ($"/api/fingerprints/%2566{framed[1..]}", 404, "unknown_fingerprint"),
                     ($"/api/fingerprints/x%2F..%2F{framed}", 404, "unknown_fingerprint"),
                     ($"/api/fingerprints/x/../{framed}", 404, "not_found"),
                     ($"/api/fingerprints/../fingerprints/{framed}", 404, "not_found"),
                     ($"/api/fingerprints/x/%2E%2E/{framed}", 404, "not_found"),
                     ($"/api/%66ingerprints/{framed}", 400, "malformed_path"),
                     ($"/x/../api/fingerprints/{framed}", 400, "malformed_path"),
                     ("/api/fingerprints/%ED%A0%80", 400, "malformed_path"),
                     ("/api/fingerprints/%FF", 400, "malformed_path"), ("/api/fingerprints/%zz", 400, "malformed_path"),
                     ("/api/fingerprints/%", 400, "malformed_path"),
                     ("/api/fingerprints/%0A", 422, "invalid_characters"),
                     ("/api/fingerprints/" + new string('a', 257), 422, "too_long"),
                 ])
        {
            await using var connection = await RawConnection.To(shared.App);
            await connection.Send($"GET {path} HTTP/1.1\r\nHost: tally\r\n\r\n");
            var answer = (await connection.Receive())!;
            Assert.Equal((path, status, reason), (path, answer.Status, answer.Reason));
        }
        await AssertServesAndRecorded(shared, 1);
    }

    private Task<Shared> Begin() => apps.On(StorageKind.Sqlite);

    private static string Head(string framing) =>
        $"POST /api/events HTTP/1.1\r\nHost: tally\r\nContent-Type: application/x-www-form-urlencoded\r\n{framing}\r\n\r\n";

    private static string Chunk(string text) => $"{text.Length:x}\r\n{text}\r\n";

    private async Task AssertServesAndRecorded(Shared shared, long events)
    {
        Assert.Equal(events, await shared.Rows(framed));
        Assert.Equal(200, (await shared.App.PostForm("action=view&product=k8s&fingerprint=after")).Status);
    }
}
