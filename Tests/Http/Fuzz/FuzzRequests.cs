using System.IO.Compression;
using System.Text;

namespace Tally.Tests.Http.Fuzz;

/// <summary>A request as bytes: the head without Content-Length, and the body.</summary>
internal sealed record FuzzRequest(byte[] Head, byte[] Body)
{
    public static FuzzRequest Of(string line, string headers = "", byte[]? body = null) =>
        new(Encoding.Latin1.GetBytes($"{line} HTTP/1.1\r\nHost: tally\r\n{headers}"), body ?? []);
}

/// <summary>One valid request of each kind that the program parses, for the fuzz run to mutate.</summary>
internal static class FuzzRequests
{
    private const string Form = "Content-Type: application/x-www-form-urlencoded\r\n";
    private const string Json = "Content-Type: application/json\r\n";
    private const string Fields = "action=view&product=k8s&fingerprint=fuzz&timestamp=NOW&properties=%7B%22a%22%3A1%7D";
    private const string Event =
        """{"action":"view","product":"k8s","fingerprint":"fuzz","timestamp":"NOW","properties":{"a":[1,null,"\u00e9"]}}""";
    private const string Message =
        """{"type":"track","event":"view","anonymousId":"fuzz","messageId":"m-17","timestamp":"NOW","properties":{"a":1},"writeKey":"k8s"}""";

    private const string UmamiEvent =
        """{"type":"event","payload":{"website":"k8s","screen":"1920x1080","language":"de","title":"\u00e9","hostname":"k8s.example","url":"https://k8s.example/a?utm_source=%C3%A9#top","referrer":"/b","tag":"t","id":"fuzz","name":"buy","data":{"a":[1,null]}}}""";

    private const string CloudEvent =
        """{"specversion":"1.0","id":"c-1","source":"k8s","type":"view","subject":"fuzz","time":"NOW","level":5,"data":{"a":"\u00e9"}}""";

    private const string PostHog =
        """{"uuid":"0192f4b0-0000-7000-8000-000000000001","event":"$pageview","timestamp":"NOW","offset":17,"$set":{"a":1},"properties":{"token":"k8s","distinct_id":"fuzz","$current_url":"https://k8s/\u00e9?utm_source=x","$referrer":"https://x.example/","$viewport_width":1470}}""";

    public static IReadOnlyList<FuzzRequest> All { get; } =
    [
        FuzzRequest.Of("POST /api/events", Form, Text(Fields)),
        FuzzRequest.Of("POST /api/events", Form + "Idempotency-Key: order-18\r\n",
            Text("action=view&product=k8s&fingerprint=%E6%97%A5%F0%9F%98%80+x")),
        FuzzRequest.Of("POST /api/events", Json, Text(Event)),
        FuzzRequest.Of("POST /api/events", "Content-Type: text/plain;charset=UTF-8\r\nOrigin: https://shop.example\r\n",
            Text(Event)),
        FuzzRequest.Of("POST /api/events", Json + "Content-Encoding: gzip\r\n",
            Packed(Event, to => new GZipStream(to, CompressionLevel.Fastest))),
        FuzzRequest.Of("POST /api/events", Json + "Content-Encoding: br\r\n",
            Packed(Event, to => new BrotliStream(to, CompressionLevel.Fastest))),
        FuzzRequest.Of("POST /api/events", Form + "Content-Encoding: deflate\r\n",
            Packed(Fields, to => new ZLibStream(to, CompressionLevel.Fastest))),
        FuzzRequest.Of("POST /api/events", Form + "Transfer-Encoding: chunked\r\n",
            Text($"{Fields.Length:x}\r\n{Fields}\r\n0\r\n\r\n")),
        FuzzRequest.Of("POST /api/events/batch", Json + "Idempotency-Key: batch-1\r\n",
            Text($"[{Event},{WithId(Event)},{{}},1]")),
        FuzzRequest.Of("POST /api/events/batch", "Content-Type: application/x-ndjson\r\n",
            Text($"{Event}\n{Event.Replace("fuzz", "other")}\n\n{WithId(Event)}\n")),
        FuzzRequest.Of("POST /api/events/batch", Json + "Content-Encoding: gzip\r\n",
            Packed($"[{Event}]", to => new GZipStream(to, CompressionLevel.Fastest))),
        FuzzRequest.Of("POST /v1/track", Json + "Authorization: Basic azhzOg==\r\n", Text(Message)),
        FuzzRequest.Of("POST /v1/identify", Json, Text(Message.Replace("track", "identify"))),
        FuzzRequest.Of("POST /v1/batch", Json + "Authorization: Basic azhzOg==\r\n",
            Text($$"""{"batch":[{{Message}},{{Message.Replace("m-17", "m-18")}}],"sentAt":"NOW","writeKey":"k8s"}""")),
        FuzzRequest.Of("POST /v1/import/", "Content-Encoding: gzip\r\n",
            Packed($$"""{"batch":[{{Message}},{{Message.Replace("m-17", "\\ud83d")}}],"writeKey":"k8s"}""",
                to => new GZipStream(to, CompressionLevel.Fastest))),
        FuzzRequest.Of("GET /v1/pixel/track?data="
            + Convert.ToBase64String(Text(Message.Replace("\"messageId\":\"m-17\",", "")))),
        FuzzRequest.Of("GET /v1/pixel/page?writeKey=k8s&userId=fuzz&name=Home&properties.plan=pro&traits.x=%00"),
        FuzzRequest.Of("POST /i/v0/e/?ip=0&ver=1.449.2", "Content-Type: text/plain\r\n",
            Packed($$"""{"api_key":"k8s","batch":[{{PostHog}}],"sent_at":"NOW"}""",
                to => new GZipStream(to, CompressionLevel.Fastest))),
        FuzzRequest.Of("POST /e?compression=base64", Form,
            Text("data=" + Uri.EscapeDataString(Convert.ToBase64String(Text($"[{PostHog}]"))))),
        FuzzRequest.Of("POST /capture/", Json, Text(PostHog)),
        FuzzRequest.Of("POST /batch/", Json + "Content-Encoding: gzip\r\n",
            Packed($$"""{"api_key":"k8s","batch":[{{PostHog}},{{PostHog.Replace("0192", "0193")}},1],"sent_at":"NOW"}""",
                to => new GZipStream(to, CompressionLevel.Fastest))),
        FuzzRequest.Of("POST /flags/?v=2", Json, Text("""{"token":"k8s","distinct_id":"fuzz"}""")),
        FuzzRequest.Of("GET /array/k8s/config.js"),
        FuzzRequest.Of("GET /array/k%228s/config"),
        FuzzRequest.Of("POST /v1/logs", Json, Text(
            """{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"k8s"}}]},"scopeLogs":[{"logRecords":[{"eventName":"view","attributes":[{"key":"user.id","value":{"stringValue":"fuzz"}},{"key":"a","value":{"intValue":"5"}}]},{}]}]}]}""")),
        FuzzRequest.Of("POST /v1/logs", "Content-Type: application/x-protobuf\r\n",
        [
            0x0A, 63, 0x0A, 23, 0x0A, 21, 0x0A, 12, .. "service.name"u8, 0x12, 5, 0x0A, 3, .. "k8s"u8, // its resource
            0x12, 36, 0x12, 34, 0x62, 4, .. "view"u8, 0x32, 26, 0x0A, 7, .. "user.id"u8, 0x12, 15, 0x0A, 13,
            .. "fuzz-of-bytes"u8,
        ]),
        FuzzRequest.Of("POST /com.snowplowanalytics.snowplow/tp2", "Content-Type: application/json; charset=UTF-8\r\n",
            Text("""{"schema":"iglu:x/payload_data/jsonschema/1-0-4","data":[{"e":"ue","aid":"k8s","eid":"e-1","duid":"fuzz","ue_pr":"{\"data\":{\"schema\":\"iglu:x/buy/jsonschema/1-0-0\",\"data\":{\"a\":1}}}","dtm":"1764412345678"},{"e":"se","se_ac":"a","aid":"k8s","nuid":"fuzz"},{"e":"zz"}]}""")),
        FuzzRequest.Of("GET /i?e=pv&aid=k8s&eid=e-2&duid=fuzz&url=https%3A%2F%2Fk8s%2Fa&cx=eyJkYXRhIjpbXX0&vp=1470x900&stm=1"),
        FuzzRequest.Of("POST /api/cloudevents", "Content-Type: application/cloudevents+json\r\n", Text(CloudEvent)),
        FuzzRequest.Of("POST /api/cloudevents", "Content-Type: application/cloudevents-batch+json\r\n",
            Text($"[{CloudEvent},{CloudEvent.Replace("c-1", "c-2")}]")),
        FuzzRequest.Of("POST /api/cloudevents",
            Json + "ce-specversion: 1.0\r\nce-id: c-3\r\nce-source: /k%388s\r\nce-type: view\r\nce-subject: \"fuzz\"\r\n",
            Text("""{"a":[1,null,"\u00e9"]}""")),
        FuzzRequest.Of("POST /api/events", "Content-Type: multipart/form-data; boundary=x\r\n",
            Text(string.Concat(Fields.Split('&').Select(field =>
            $"--x\r\nContent-Disposition: form-data; name=\"{field.Split('=')[0]}\"\r\n\r\n{field.Split('=')[1]}\r\n"))
            + "--x--\r\n")),
        FuzzRequest.Of("GET /api/pixel.gif?" + Fields.Replace("NOW", "")),
        FuzzRequest.Of("HEAD /api/pixel.gif?" + Fields.Replace("NOW", "")),
        FuzzRequest.Of("HEAD /api/live?product=k8s"),
        FuzzRequest.Of("POST //v1/track", Json + "Authorization: Basic azhzOg==\r\n", Text(Message)),
        FuzzRequest.Of("POST /api/events?v=3", Form + "Idempotency-Key: \"order-19\"\r\n",
            Text("action=view&product=k8s&fingerprint=fuzz")),
        FuzzRequest.Of("OPTIONS /api/events",
            "Origin: https://shop.example\r\nAccess-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: content-type\r\n"),
        FuzzRequest.Of("GET /api/fingerprints/fuzz", "If-None-Match: \"1\", W/\"2\", *\r\n"),
        FuzzRequest.Of("GET /api/fingerprints/%E6%97%A5%2F..%00?x=%ff"),
        FuzzRequest.Of("GET /api/fingerprints/fuzz/events?after=0&limit=100"),
        FuzzRequest.Of("GET /api/breakdown?by=path&product=k8s&from=2026-01-01&to=2026-01-08&limit=10&filter=referrer:x&compare=year"),
        FuzzRequest.Of("GET /api/funnel?steps=view[path=/],a%2Cb%5B\\[x]&within=7d&from=2026-01-01&to=2026-01-08&breakdown=path&limit=5"),
        FuzzRequest.Of("PUT /api/funnels/way?steps=view[path=/],buy&within=7d&product=k8s"),
        FuzzRequest.Of("GET /api/funnels/way?from=2026-01-01&to=2026-01-08"),
        FuzzRequest.Of("DELETE /api/funnels/way"),
        FuzzRequest.Of("GET /api/funnels"),
        FuzzRequest.Of("GET /api/sessions?product=k8s&from=2026-01-01&to=2026-01-08&limit=5"),
        FuzzRequest.Of("GET /api/fingerprints/fuzz/sessions?product=k8s&from=2026-01-01&to=2026-01-08T10:00:00Z&limit=5"),
        FuzzRequest.Of("GET /api/fingerprints/fuzz/timeline?to=2026-01-08T10:00:00Z&after=1&limit=5"),
        FuzzRequest.Of("GET /api/fingerprints/fuzz/activity?from=2026-01-01&to=2026-01-08"),
        FuzzRequest.Of("GET /api/receipts/order-18?fingerprint=fuzz&limit=10"),
        FuzzRequest.Of("GET /api/receipts/%2F..%00%F0%9F%98%80"),
        FuzzRequest.Of(
            "GET /api/totals?from=2026-01-01T00:00:00Z&to=2026-01-03T00:00:00%2B01:00&bucket=hour&groupBy=product,action&product=k8s"),
        FuzzRequest.Of("GET /api/top?of=products&by=events&from=2026-01-01T00:00:00Z&limit=10"),
        FuzzRequest.Of("GET /api/cluster?fingerprint=fuzz"),
        FuzzRequest.Of("GET /api/verifications"),
        FuzzRequest.Of("POST /api/verifications"),
        FuzzRequest.Of("PUT /api/annotations?time=2026-01-02T03:04:05Z&text=a%20b&product=k8s"),
        FuzzRequest.Of("DELETE /api/annotations?time=2026-01-02T03:04:05Z&product=k8s"),
        FuzzRequest.Of("POST /api/rules/bought/secret"),
        FuzzRequest.Of("POST /api/rules/bought/test"),
        FuzzRequest.Of("POST /api/firings/replay?rule=bought&fingerprint=fuzz&state=delivered"),
        FuzzRequest.Of("PUT /api/shares?name=team&product=k8s"),
        FuzzRequest.Of("DELETE /api/shares?name=team"),
        FuzzRequest.Of("GET /api/shares"),
        FuzzRequest.Of("PUT /api/rules/trial", Json, Text(
            """{"when":{"event":{"product":"fuzz","action":"a","where":[{"property":"x","is":1e3}]},"without":{"event":{"product":"fuzz","action":"b"},"within":"PT1H"}},"how":"daily","webhook":{"url":"https://x.example/\u00e9","ordered":true}}""")),
        FuzzRequest.Of("GET /api/rules"),
        FuzzRequest.Of("GET /api/rules/trial"),
        FuzzRequest.Of("DELETE /api/rules/trial"),
        FuzzRequest.Of("GET /api/rules/schema", "If-None-Match: \"x\"\r\nAccept-Encoding: gzip\r\n"),
        FuzzRequest.Of("GET /api/firings?rule=trial&fingerprint=fuzz&state=pending&limit=5&after=CN9N0NxdokAAAAACAAAAAAAAAANh"),
        FuzzRequest.Of("GET /api/annotations?from=2026-01-02&product=k8s"),
        FuzzRequest.Of("GET /api/fingerprints/XYZ/values"),
        FuzzRequest.Of("GET /api/retention?period=day&cohorts=3&product=k8s"),
        FuzzRequest.Of("GET /api/present?product=k8s"),
        FuzzRequest.Of("GET /api/uniques?from=2026-01-01&to=2026-01-08&groupBy=product&product=k8s"),
        FuzzRequest.Of("GET /api/fingerprints?sort=total&product=k8s&limit=10&after=AwAAAAAAAAADWFla"),
        FuzzRequest.Of("DELETE /api/fingerprints/nobody?suppress=true"), // its mutations name nobody who has events
        FuzzRequest.Of("GET /api/fingerprints/fuzz/live?after=0", "Last-Event-ID: 1\r\n"),
        FuzzRequest.Of("GET /api/live?product=k%388s"),
        FuzzRequest.Of("GET /api/live/events?product=k8s&action=view&after=1-2", "Last-Event-ID: 3\r\n"),
        FuzzRequest.Of(
            "GET /api/export?from=1999-12-31&to=2000-01-01T00:00:00Z&product=fuzz&format=csv&after=7:%E6%97%A5",
            "Accept-Encoding: gzip, br\r\n"),
        FuzzRequest.Of("POST /api/event", "Content-Type: text/plain\r\nOrigin: https://shop.example\r\n", Text(
            """{"n":"pageview","u":"https://k8s/a?utm_source=%C3%A9&x=1#top","d":"k8s","r":"https://x.example/","w":1470,"h":1,"p":"{\"a\":1}","$":{"currency":"EUR","amount":"1.5"},"i":false}""")),
        FuzzRequest.Of("POST /api/event?writeKey=x", Json,
            Text("""{"name":"buy","url":"app://k8s","domain":"k8s","props":{"a":[1e3,null,"\u00e9\ud83d\ude00"]}}""")),
        FuzzRequest.Of("POST /api/send", Json + "x-umami-cache: fuzz\r\nx-umami-website-id: k8s\r\n", Text(UmamiEvent)),
        FuzzRequest.Of("POST /api/batch", Json, Text($"[{UmamiEvent},{UmamiEvent.Replace("event", "identify")},{{}},1]")),
        FuzzRequest.Of("GET /count?product=k8s?p=%2Fa%3Futm_source%3Dx&t=%C3%A9&r=https%3A%2F%2Fx.example&s=1920%2C1080%2C1&b=0&q=%3Fa%3D1&rnd=a"),
        FuzzRequest.Of("POST /count?p=click&e=true&rnd=b", "Origin: https://k8s.example\r\n"),
        FuzzRequest.Of("POST /api/v0/count?product=k8s", Json + "Authorization: Bearer x\r\n", Text(
            """{"no_sessions":true,"filter":[],"hits":[{"path":"/a","title":"\u00e9","session":"fuzz","created_at":"NOW","size":[1024,768,2],"query":"utm_source=x"},{"path":"buy","event":true},{}]}""")),
        FuzzRequest.Of("GET /matomo.php?idsite=k8s&rec=1&action_name=%C3%A9&url=https%3A%2F%2Fk8s.example%2Fa%3Futm_source%3Dx&_id=fuzz&res=1920x1080&lang=de&e_v=1.5"),
        FuzzRequest.Of("POST /piwik.php?send_image=0", Form,
            Text("idsite=k8s&rec=1&cid=fuzz&e_c=a&e_a=b&e_v=1.5&cvar=%7B%221%22%3A%5B%22a%22%2C%22b%22%5D%7D&cdo=5")),
        FuzzRequest.Of("POST /matomo.php", Json, Text(
            """{"token_auth":"x","requests":["?idsite=k8s&rec=1&_id=fuzz&cdt=2026-01-01%2000:00:00&idgoal=1&revenue=9",{"idsite":1,"rec":1},"?rec=%zz",1]}""")),
        FuzzRequest.Of("POST /mp/collect?measurement_id=k8s&api_secret=x", Json, Text(
            """{"client_id":"fuzz","user_id":"u","timestamp_micros":"1764412345678901","user_properties":{"a":{"value":"\u00e9"}},"events":[{"name":"page_view","params":{"page_location":"https://k8s/a?utm_source=x","screen_resolution":"1920x1080","engagement_time_msec":1.5}},{"name":"buy","params":{"items":[{"a":null}]}},{},1]}""")),
        FuzzRequest.Of("POST /debug/mp/collect?firebase_app_id=k8s", Json, Text(
            """{"app_instance_id":"fuzz","events":[{"name":"a"}]}""")),
        FuzzRequest.Of("GET /tally.js", "If-None-Match: \"x\"\r\nAccept-Encoding: br, gzip;q=0.5\r\n"),
        FuzzRequest.Of("GET /health/ready"),
        FuzzRequest.Of("GET /openapi/v1.json"),
        FuzzRequest.Of("GET /metrics",
            "Accept: application/openmetrics-text; version=1.0.0\r\nX-Forwarded-For: 1.2.3.4, ::1\r\n"),
    ];

    private static string WithId(string json) => json.Replace("\"action\"", "\"id\":\"order-17\",\"action\"");

    private static byte[] Text(string text) => Encoding.UTF8.GetBytes(Now(text));

    private static string Now(string text) =>
        text.Replace("NOW", DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", null));

    private static byte[] Packed(string text, Func<Stream, Stream> pack)
    {
        using var packed = new MemoryStream();
        using (var stream = pack(packed)) stream.Write(Text(text));
        return packed.ToArray();
    }
}
