using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Tally.Silo.Http.Batches;

namespace Tally.Tests.Harness;

/// <summary>The answer to a request.</summary>
/// <param name="Body">Undefined if there was none, or none in JSON.</param>
public sealed record Answer(int Status, JsonElement Body, string? ContentType, HttpResponseHeaders Headers)
{
    public string? Reason => Text("reason");
    public string? Field => Text("field");
    public long Sequence => Body.GetProperty("sequence").GetInt64();
    public bool Duplicate => Body.GetProperty("duplicate").GetBoolean();

    /// <summary>A batch's receipt, whether the batch completed or was interrupted.</summary>
    public BatchReceipt Batch =>
        (Body.TryGetProperty("batch", out var interrupted) ? interrupted : Body).Deserialize<BatchReceipt>(
            JsonSerializerOptions.Web)!;

    public string? Text(string name) =>
        Body.ValueKind == JsonValueKind.Object && Body.TryGetProperty(name, out var value) ? value.GetString() : null;

    /// <summary>Asserts a problem document with exactly this status, reason and field.</summary>
    public void AssertRefused(int status, string reason, string? field = null)
    {
        Assert.Equal((status, reason, field), (Status, Reason, Field));
        Assert.Equal("application/problem+json", ContentType);
        Assert.Equal(status, Body.GetProperty("status").GetInt32());
        Assert.NotEqual("", Body.GetProperty("title").GetString());
    }
}

/// <summary>Something that answers HTTP: a process, a container or a load balancer.</summary>
public interface IServing
{
    HttpClient Http { get; }
}

/// <summary>The tests' requests to a serving app.</summary>
public static class Requests
{
    public static Task<Answer> PostForm(this IServing app, string form, string? idempotencyKey = null) =>
        app.Post(Encoding.UTF8.GetBytes(form), "application/x-www-form-urlencoded", idempotencyKey);

    public static Task<Answer> PostJson(this IServing app, string json, string? idempotencyKey = null) =>
        app.Post(Encoding.UTF8.GetBytes(json), "application/json", idempotencyKey);

    public static Task<Answer> PostBatch(this IServing app, string batch, string? idempotencyKey = null,
        string contentType = "application/json") =>
        app.Post(Encoding.UTF8.GetBytes(batch), contentType, idempotencyKey, BatchPath);

    public const string BatchPath = "/api/events/batch";

    /// <param name="contentType">Sent as it is, however odd; null sends none.</param>
    /// <param name="contentEncoding">Likewise.</param>
    public static Task<Answer> Post(this IServing app, byte[] body, string? contentType, string? idempotencyKey = null,
        string path = "/api/events", string? contentEncoding = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(body) };
        if (contentType is not null) request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        if (contentEncoding is not null)
            request.Content.Headers.TryAddWithoutValidation("Content-Encoding", contentEncoding);
        if (idempotencyKey is not null) request.Headers.TryAddWithoutValidation("Idempotency-Key", idempotencyKey);
        return app.Send(request);
    }

    /// <summary>
    /// Asks again while the answer is a 503. A connection that a fault has broken is found broken when it is next used,
    /// perhaps long after the fault, and then the question that used it is to be asked again.
    /// </summary>
    public static async Task<HttpResponseMessage> Ask(this IServing app, string path)
    {
        HttpResponseMessage? response = null;
        await Eventually.True(async () =>
        {
            response?.Dispose();
            response = await app.Http.GetAsync(path);
            return response.StatusCode != HttpStatusCode.ServiceUnavailable;
        }, $"{path} is answered 503 again and again.", 30);
        return response!;
    }

    public static Task<Answer> Get(this IServing app, string path) => app.Send(new(HttpMethod.Get, path));

    /// <summary>A fingerprint's view, whatever characters the fingerprint has.</summary>
    public static Task<Answer> View(this IServing app, string fingerprint) => app.Get(Path(fingerprint));

    public static string Path(string fingerprint) => "/api/fingerprints/" + Uri.EscapeDataString(fingerprint);

    public static async Task<Answer> Send(this IServing app, HttpRequestMessage request)
    {
        using (request)
        {
            using var response = await app.Http.SendAsync(request);
            var content = response.Content.Headers.ContentType?.MediaType;
            var body = content?.EndsWith("json", StringComparison.Ordinal) == true && request.Method != HttpMethod.Head
                ? JsonSerializer.Deserialize<JsonElement>(await response.Content.ReadAsByteArrayAsync()) : default;
            return new((int)response.StatusCode, body, content, response.Headers);
        }
    }
}
