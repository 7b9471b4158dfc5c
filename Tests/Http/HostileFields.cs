using System.Globalization;
using System.Text;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>
/// Bodies that are sent only by mistake or with bad intent: refused for the right reason, never recorded.
/// </summary>
[Collection<SharedApp>]
public sealed class HostileFields(SharedApps apps)
{
    private const string Form = "application/x-www-form-urlencoded";
    private const string Good = "action=view&product=k8s&fingerprint=hostile";
    private const string GoodJson = """{"action":"view","product":"k8s","fingerprint":"hostile"}""";
    private const int BodyBytesMax = 64 * 1024;

    private sealed record Refused(string Body, int Status, string Reason, string? Field = null,
        string? ContentType = Form);

    // Invalid percent-encoding, and bytes that are not UTF-8.
    private static readonly Refused[] Encodings =
    [
        .. ((string[])["%", "%4", "%zz", "%u0041", "%ED%A0%80", "%ED%B0%80", "%FF", "%C3", "%C0%AF", "%F4%90%80%80",
            "\u00e9"]).Select(odd =>
            new Refused(Good + odd, 400, "malformed_body")),
        new("%=&" + Good, 400, "malformed_body"),
        new(Good + "&note=%FF", 400, "malformed_body"),
    ];

    private static readonly Refused[] Characters =
    [
        .. ((string[])["%00", "a%00b", "%01", "%0D%0A", "%1F", "%7F", "%C2%85", "%09"]).SelectMany(odd => (Refused[])
        [
            new($"action={odd}&product=k8s&fingerprint=hostile", 422, "invalid_characters", "action"),
            new($"action=view&product={odd}&fingerprint=hostile", 422, "invalid_characters", "product"),
            new($"action=view&product=k8s&fingerprint={odd}", 422, "invalid_characters", "fingerprint"),
        ]),
        Json("""{"action":"view","product":"k8s","fingerprint":"\u0000"}""", 422, "invalid_characters", "fingerprint"),
        Json("""{"action":"vi\u0000ew","product":"k8s","fingerprint":"hostile"}""", 422, "invalid_characters",
            "action"),
    ];

    private static readonly Refused[] Fields =
    [
        new("", 422, "missing_field", "action"),
        new("&&&&", 422, "missing_field", "action"),
        new("action=view&product=k8s", 422, "missing_field", "fingerprint"),
        new("action=view&fingerprint=hostile", 422, "missing_field", "product"),
        new("action=&product=k8s&fingerprint=hostile", 422, "missing_field", "action"),
        new("action&product=k8s&fingerprint=hostile", 422, "missing_field", "action"),
        new("Action=view&product=k8s&fingerprint=hostile", 422, "missing_field", "action"),
        new(Good + "&action=view", 422, "duplicate_field", "action"),
        new(Good + "&product=other", 422, "duplicate_field", "product"),
        new(Good + "&%66ingerprint=other", 422, "duplicate_field", "fingerprint"),
        new(Good + "&id=1&id=1", 422, "duplicate_field", "id"),
        new(Good.Replace("view", new('a', 257)), 422, "too_long", "action"),
        new(Good.Replace("k8s", new('a', 257)), 422, "too_long", "product"),
        new(Good.Replace("hostile", new('a', 257)), 422, "too_long", "fingerprint"),
        new(Good.Replace("view", Two(128) + "a"), 422, "too_long", "action"),
        new(Good.Replace("k8s", Two(128) + "a"), 422, "too_long", "product"),
        new(Good.Replace("hostile", Two(128) + "a"), 422, "too_long", "fingerprint"),
        new(Good.Replace("hostile", string.Concat(Enumerable.Repeat("%F0%9F%98%80", 65))), 422, "too_long",
            "fingerprint"),
        new(Good + "&id=" + new string('a', 129), 422, "too_long", "id"),
    ];

    private static readonly Refused[] Jsons =
    [
        .. ((string[])["", " ", "null", "true", "17", "\"x\"", "[]", "[" + GoodJson + "]", GoodJson + GoodJson,
            GoodJson + "x", GoodJson + ",",
            GoodJson[..^1], GoodJson[..^2], "{", "\ufeff\ufeff" + GoodJson, "/**/" + GoodJson, GoodJson[..^1] + ",}",
            GoodJson.Replace('"', '\''),
            GoodJson.Replace("hostile", "\\x41"), GoodJson.Replace("hostile", "a\nb"), new string('[', 5000),
            string.Concat(Enumerable.Repeat("{\"a\":", 3000)),
        ]).Select(odd => Json(odd, 400, "malformed_body")),
        .. ((string[])["true", "false", "{}", "[\"view\"]", "[]"]).SelectMany(odd => (Refused[])
        [
            Json(GoodJson.Replace("\"view\"", odd), 422, "invalid_type", "action"),
            Json(GoodJson[..^1] + $",\"id\":{odd}}}", 422, "invalid_type", "id"),
            Json(GoodJson[..^1] + $",\"timestamp\":{odd}}}", 422, "invalid_type", "timestamp"),
        ]),
        Json(GoodJson.Replace("k8s", "\\udc00"), 422, "invalid_characters", "product"),
        Json(GoodJson.Replace("hostile", "\\ud800x"), 422, "invalid_characters", "fingerprint"),
        Json(GoodJson.Replace("hostile", "\\udc00\\ud800"), 422, "invalid_characters", "fingerprint"),
        Json(GoodJson[..^1] + ",\"id\":\"\\ud83d\"}", 422, "invalid_characters", "id"),
        Json(GoodJson[..^1] + ",\"action\":\"view\"}", 422, "duplicate_field", "action"),
        Json(GoodJson[..^1] + ",\"\\u0061ction\":\"view\"}", 422, "duplicate_field", "action"),
        Json("{}", 422, "missing_field", "action"),
        Json(GoodJson.Replace("\"view\"", "null"), 422, "missing_field", "action"),
        Json(GoodJson.Replace("hostile", ""), 422, "missing_field", "fingerprint"),
        Json(GoodJson.Replace("action", "Action"), 422, "missing_field", "action"),
    ];

    private static readonly Refused[] ContentTypes =
    [
        .. ((string?[])[null, "", "text/html", "application/xml", "application/json2", "json", "application/*", "*/*",
            Form + "; charset=iso-8859-1", Form + "; charset=utf-16", "application/json; charset=utf-7",
            "application/json; charset=", Form + ", application/json",
            new string('a', 5000), "application/problem+json"]).Select(odd =>
            new Refused(Good, 415, "unsupported_media_type", null, odd)),
        new(GoodJson, 415, "unsupported_media_type", null, Form),
        new("\r\n [" + GoodJson, 415, "unsupported_media_type", null, Form),
        new(Good, 400, "malformed_body", null, "application/json"),
        new(Good, 400, "malformed_body", null, "text/plain"),
    ];

    private static readonly Refused[] Sizes =
    [
        .. ((string[])["action", "product", "fingerprint", "id", "note"]).Select(field =>
            new Refused($"{field}={new string('a', 1 << 20)}", 413, "body_too_large")),
        Json($"{{\"action\":\"{new string('a', 1 << 20)}\"}}", 413, "body_too_large"),
        new(Good + "&n=" + new string('a', BodyBytesMax - Good.Length - 3 + 1), 413, "body_too_large"),
        new(Good + string.Concat(Enumerable.Range(0, 10_000).Select(i => $"&k{i}=")), 413, "body_too_large"),
    ];

    [Theory, EachStorage]
    public Task Broken_encodings_are_refused(StorageKind storage) => AssertRefused(storage, Encodings);

    [Theory, EachStorage]
    public Task Control_characters_are_refused(StorageKind storage) => AssertRefused(storage, Characters);

    [Theory, EachStorage]
    public Task Fields_that_are_missing_given_twice_or_too_long_are_refused(StorageKind storage) =>
        AssertRefused(storage, Fields);

    [Theory, EachStorage]
    public Task Json_that_is_not_one_object_of_texts_is_refused(StorageKind storage) => AssertRefused(storage, Jsons);

    [Theory, EachStorage]
    public Task Other_content_types_are_refused(StorageKind storage) => AssertRefused(storage, ContentTypes);

    [Theory, EachStorage]
    public Task Bodies_beyond_the_limit_are_refused(StorageKind storage) => AssertRefused(storage, Sizes);

    [Theory, EachStorage]
    public async Task What_is_exactly_at_a_limit_or_only_odd_is_recorded(StorageKind storage)
    {
        var shared = await apps.On(storage);
        (string Body, string ContentType)[] accepted =
        [
            (Good.Replace("view", new('a', 256)), Form), (Good.Replace("k8s", new('a', 256)), Form),
            (Good.Replace("hostile", new('a', 256)), Form), (Good.Replace("view", Two(128)), Form),
            (Good.Replace("k8s", Two(128)), Form),
            (Good.Replace("hostile", Two(128)), Form),
            (Good.Replace("hostile", string.Concat(Enumerable.Repeat("%F0%9F%98%80", 64))), Form),
            (Good + "&id=" + new string('a', 128), Form),
            (Good + "&id=" + string.Concat(Enumerable.Repeat("%E6%97%A5", 128)), Form), (Good + "&id=%00%0A", Form),
            (Good + "&n=" + new string('a', BodyBytesMax - Good.Length - 3), Form),
            (GoodJson + new string(' ', BodyBytesMax - GoodJson.Length), "application/json"),
            (Good + string.Concat(Enumerable.Range(0, 2_500).Select(i => $"&k{i}")), Form),
            (Good + new string('&', 10_000), Form),
            ("&&" + Good + "&=&=x&other=1&other=2", Form), (Good, Form + "; charset=UTF-8"),
            (Good, "Application/X-WWW-Form-Urlencoded;charset=\"utf-8\""),
            (GoodJson, "application/json; charset=utf-8"), (GoodJson, "APPLICATION/JSON"),
            (GoodJson, "text/plain;charset=UTF-8"), (" \n" + GoodJson + "\r\n\t ", "application/json"),
            (GoodJson[..^1] + ",\"more\":{\"a\":[1,{}]},\"id\":null}", "application/json"),
            (GoodJson[..^1] + ",\"id\":\"\"}", "application/json"),
            (GoodJson[..^1] + ",\"id\":17}", "application/json"),
            (GoodJson.Replace("\"view\"", "-1.50e3"), "application/json"),
            ("\ufeff" + GoodJson, "application/json"), ("\ufeff" + Good, Form),
            (GoodJson.Replace("view", "cut \\ud83d"), "application/json"),
            (GoodJson[..^1] + ",\"x\":" + new string('[', 1000) + new string(']', 1000) + "}", "application/json"),
            (GoodJson[..^1] + ",\"x\":\"\\ud800\\u0000\",\"\\ud800\":1,\"x\":2}", "application/json"),
            (Good, Form + "; charset=utf8"), (Good, Form + "; charset=us-ascii"),
            (GoodJson, "application/json;charset=\"UTF8\""),
            (GoodJson.Replace("hostile", "\\ud83d\\ude00"), "application/json"),
        ];
        var before = await shared.AllRows();
        foreach (var (body, contentType) in accepted)
        {
            var answer = await shared.App.Post(Encoding.UTF8.GetBytes(body), contentType);
            Assert.True((answer.Status, answer.Duplicate) == (200, false),
                $"{answer.Status} {answer.Reason} for {contentType} {Short(body)}");
        }
        Assert.Equal(before + accepted.Length, await shared.AllRows());
    }

    [Theory, EachStorage]
    public async Task Odd_headers_are_refused(StorageKind storage)
    {
        var shared = await apps.On(storage);
        var before = await shared.AllRows();
        (await shared.App.PostForm(Good, new string('k', 129))).AssertRefused(422, "too_long", "id");
        foreach (var other in (string[])["a", "b"])
        {
            await using var connection = await RawConnection.To(shared.App);
            await connection.Send(
                $"POST /api/events HTTP/1.1\r\nHost: tally\r\nContent-Type: {Form}\r\nContent-Length: {Good.Length}\r\n"
                + $"Idempotency-Key: a\r\nIdempotency-Key: {other}\r\n\r\n{Good}");
            var refusal = (await connection.Receive())!;
            Assert.Equal((422, "duplicate_field"), (refusal.Status, refusal.Reason));
        }
        Assert.Equal(before, await shared.AllRows());
    }

    private static Refused Json(string body, int status, string reason, string? field = null) =>
        new(body, status, reason, field, "application/json");

    private static string Two(int characters) => string.Concat(Enumerable.Repeat("%C3%A9", characters));

    private async Task AssertRefused(StorageKind storage, Refused[] hostile)
    {
        var shared = await apps.On(storage);
        var before = await shared.AllRows();
        foreach (var one in hostile)
        {
            var answer = await shared.App.Post(Bytes(one), one.ContentType);
            Assert.True(
                (answer.Status, answer.Reason, answer.Field, answer.ContentType) == (one.Status, one.Reason, one.Field,
                    "application/problem+json"),
                string.Create(CultureInfo.InvariantCulture,
                    $"{answer.Status} {answer.Reason} {answer.Field} for {one.ContentType} {Short(one.Body)}"));
        }
        Assert.Equal(before, await shared.AllRows());
        Assert.Equal(200, (await shared.App.PostForm(Good)).Status); // and it still serves
    }

    // A form is sent one byte a character, so that a lone \u00e9 is not UTF-8.
    private static byte[] Bytes(Refused one) =>
        (one.ContentType == Form ? Encoding.Latin1 : Encoding.UTF8).GetBytes(one.Body);

    private static string Short(string body) => body.Length < 200 ? body : body[..200] + "...";
}
