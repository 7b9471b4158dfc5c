using System.IO.Compression;
using System.Text;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>Bodies with a Content-Encoding: the limits apply to the decoded body.</summary>
public sealed class EncodedBodies(SharedApps apps) : IClassFixture<SharedApps>
{
    private const string Form = "application/x-www-form-urlencoded";
    private const string Json = "application/json";
    private const int BombBytes = 256 << 20;

    private static readonly string[] Encodings = ["gzip", "br", "deflate"];

    private readonly string visitor = "encoded-" + Guid.NewGuid();

    private string Item => $$"""{"action":"view","product":"k8s","fingerprint":"{{visitor}}"}""";

    [Theory, EachStorage]
    public async Task An_encoded_body_is_read_as_what_it_decodes_to(StorageKind storage)
    {
        var shared = await apps.On(storage);
        var batch = $"[{string.Join(',', Enumerable.Repeat(Item, 2_000))}]";
        foreach (var encoding in Encodings)
        {
            Assert.Equal(200,
                (await Post(shared, $"action=view&product=k8s&fingerprint={visitor}", Form, encoding)).Status);
            Assert.Equal(200, (await Post(shared, Item, Json, encoding)).Status);
            Assert.Equal(2_000, (await Post(shared, batch, Json, encoding, Requests.BatchPath)).Batch.Recorded);
            Assert.Equal(2_000,
                (await Post(shared, batch[1..^1].Replace("},", "}\n"), "application/x-ndjson",
                    encoding.ToUpperInvariant(), Requests.BatchPath)).Batch.Recorded);
        }
        Assert.Equal(3 * 4_002, await shared.Rows(visitor));
    }

    [Theory, EachStorage]
    public async Task What_does_not_decode_is_refused(StorageKind storage)
    {
        var shared = await apps.On(storage);
        foreach (var encoding in Encodings)
        {
            var body = Encode(Item, encoding);
            foreach (var broken in (byte[][])[Encoding.UTF8.GetBytes(Item), body[..(body.Length / 2)], body[1..]])
            {
                (await shared.App.Post(broken, Json, contentEncoding: encoding)).AssertRefused(400, "malformed_body");
                var batch = await shared.App.Post(broken, Json, null, Requests.BatchPath, encoding);
                batch.AssertRefused(400, "malformed_body");
                Assert.Equal(0, batch.Batch.Recorded);
            }
        }
        // A body of lines may end after any line, so only the decoder can tell that some are missing.
        var lines = Encode(string.Concat(Enumerable.Repeat(Item + "\n", 100)), "gzip");
        (await shared.App.Post(lines[..(lines.Length / 2)], "application/x-ndjson", null, Requests.BatchPath,
            "gzip")).AssertRefused(400, "malformed_body");
        foreach (var encoding in (string[])["zstd", "compress", "gzip, gzip", "identity, gzip", "br, gzip", "gzip;q=1",
            "*"])
            foreach (var path in (string[])["/api/events", Requests.BatchPath])
            {
                var answer = await shared.App.Post(Encode(Item, "gzip"), Json, null, path, encoding);
                Assert.True(answer is { Status: 415, Reason: "unsupported_media_type" }, $"{answer.Status} {encoding}");
            }
    }

    [Theory, EachStorage]
    public async Task Other_words_for_gzip_and_for_no_encoding_are_known(StorageKind storage)
    {
        var shared = await apps.On(storage);
        foreach (var path in (string[])["/api/events", Requests.BatchPath])
        {
            foreach (var none in (string[])["identity", "Identity", ""])
                Assert.Equal(200,
                    (await shared.App.Post(Encoding.UTF8.GetBytes(path == Requests.BatchPath ? $"[{Item}]" : Item),
                        Json, null, path, none)).Status);
            foreach (var gzip in (string[])["x-gzip", "X-GZIP"])
                Assert.Equal(200,
                    (await shared.App.Post(Encode(path == Requests.BatchPath ? $"[{Item}]" : Item, "gzip"), Json, null,
                        path, gzip)).Status);
        }
        Assert.Equal(10, await shared.Rows(visitor));
    }

    // The framework's decoder ends silently at anything that is not a member, so rows would be lost with a 200.
    [Theory, EachStorage]
    public async Task Gzip_is_read_to_its_end_or_refused(StorageKind storage)
    {
        var shared = await apps.On(storage);
        var (one, lines) = (Encode(Item + "\n", "gzip"), Encoding.UTF8.GetBytes(Item + "\n"));
        byte[] damaged = [.. one];
        damaged[^6] ^= 1;
        Assert.Equal(2,
            (await shared.App.Post([.. one, .. one], "application/x-ndjson", null, Requests.BatchPath,
                "gzip")).Batch.Recorded);
        foreach (var tail in (byte[][])[lines, damaged, one[..^1], one[..5], [0], new byte[20_000]])
        {
            (await shared.App.Post([.. one, .. tail], "application/x-ndjson", null, Requests.BatchPath,
                "gzip")).AssertRefused(400, "malformed_body");
            (await shared.App.Post([.. one, .. tail], Json, null, "/api/events", "gzip")).AssertRefused(400,
                "malformed_body");
        }
    }

    [Theory, EachStorage]
    public async Task A_bomb_is_refused_and_costs_no_memory(StorageKind storage)
    {
        var shared = await apps.On(storage);
        await Post(shared, Item, Json, "gzip");
        var before = shared.App.PeakMemoryBytes;
        foreach (var encoding in Encodings)
        {
            var spaces = Bomb("[", ' ', encoding);
            var text = Bomb($"[{Item},\"", 'a', encoding);
            Assert.All([spaces, text], bomb => Assert.InRange(bomb.Length, 1, 4 << 20)); // small enough to be accepted
            var answers = await Task.WhenAll(Enumerable.Range(0, 4).SelectMany(_ => (Task<Answer>[])
            [
                shared.App.Post(spaces, Json, null, Requests.BatchPath, encoding),
                shared.App.Post(text, Json, null, Requests.BatchPath, encoding),
            ]));
            Assert.All(answers, answer => answer.AssertRefused(413, "body_too_large"));
            Assert.Equal([0, 0, 0, 0, 1, 1, 1, 1], answers.Select(answer => answer.Batch.Recorded).Order());
            (await shared.App.Post(Bomb("a=", 'a', encoding, 1 << 20), Form, contentEncoding: encoding)).AssertRefused(
                413, "body_too_large");
        }
        // Eight at once hold 4 MiB each; decoded whole, they would take 2 GiB.
        Assert.InRange(shared.App.PeakMemoryBytes - before, 0, BombBytes);
    }

    [Theory, EachStorage]
    public async Task What_a_beacon_sends_is_json(StorageKind storage)
    {
        var shared = await apps.On(storage);
        Assert.Equal(200, (await shared.App.Post(Encoding.UTF8.GetBytes(Item), "text/plain;charset=UTF-8")).Status);
        (await shared.App.Post("action=view"u8.ToArray(), "text/plain")).AssertRefused(400, "malformed_body");
        (await shared.App.Post(Encoding.UTF8.GetBytes(Item), "text/plain;charset=latin1")).AssertRefused(415,
            "unsupported_media_type");
        Assert.Equal(1, await shared.Rows(visitor));
    }

    private static Task<Answer> Post(Shared shared, string body, string contentType, string encoding,
        string path = "/api/events") =>
        shared.App.Post(Encode(body, encoding), contentType, null, path, encoding);

    private static byte[] Encode(string body, string encoding) =>
        Encode(encoding, encoder => encoder.Write(Encoding.UTF8.GetBytes(body)));

    private static byte[] Bomb(string begin, char filling, string encoding, int bytes = BombBytes) =>
        Encode(encoding, encoder =>
    {
        encoder.Write(Encoding.UTF8.GetBytes(begin));
        var block = Encoding.UTF8.GetBytes(new string(filling, 1 << 16));
        for (var written = 0; written < bytes; written += block.Length) encoder.Write(block);
    });

    private static byte[] Encode(string encoding, Action<Stream> write)
    {
        var encoded = new MemoryStream();
        using (Stream encoder = encoding.ToLowerInvariant() switch
        {
            "gzip" => new GZipStream(encoded, CompressionLevel.Optimal),
            "br" => new BrotliStream(encoded, CompressionLevel.Optimal),
            _ => new ZLibStream(encoded, CompressionLevel.Optimal),
        })
            write(encoder);
        return encoded.ToArray();
    }
}
