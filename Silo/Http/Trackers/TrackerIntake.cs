using System.Buffers;
using System.Text.Json;
using Tally.Contracts;
using Tally.Silo.Http.Access;
using Tally.Silo.Http.Batches;

namespace Tally.Silo.Http.Trackers;

/// <summary>
/// What the endpoints of all tools do: read a request, find its key and product, and record its events.
/// </summary>
internal sealed class TrackerIntake(Ingestion ingestion, Limits limits, LargeBodyLimiter bodies, TimeProvider clock)
{
    private const string Json = "application/json";
    private const string Text = "text/plain"; // of a script, it needs no preflight

    public Limits Limits => limits;

    public DateTimeOffset Now => clock.GetUtcNow();

    /// <summary>Reads a whole body, decoded if it came with a Content-Encoding.</summary>
    /// <param name="request">The request. Without a content type, its body is taken for one of these.</param>
    /// <param name="bytesMax">Of the decoded body.</param>
    /// <param name="mediaTypes">Those that the tool sends.</param>
    public async ValueTask<(byte[]? Body, Refusal? Refusal)> ReadBody(
        HttpRequest request, int bytesMax, params string[] mediaTypes)
    {
        if (request.Headers.ContentEncoding.Count > 0
            || request.ContentType is not null
                && (RequestBody.MediaTypeOf(request) is not { } type || !mediaTypes.Contains(type)))
            return (null, Refusal.UnsupportedMediaType(string.Join(" or ", mediaTypes)));
        var (bytes, refusal) = await RequestBody.ReadWhole(request, bytesMax, bodies);
        if (refusal is not null) return (null, refusal);
        var body = RequestBody.WithoutByteOrderMark(bytes).ToArray();
        request.BodyReader.AdvanceTo(bytes.End);
        return (body, null);
    }

    /// <summary>Reads a body of JSON, which may say that it is text.</summary>
    public async ValueTask<(JsonElement Json, Refusal? Refusal)> ReadJson(HttpRequest request, int bytesMax)
    {
        var (body, unread) = await ReadBody(request, bytesMax, Json, Text);
        if (body is null) return (default, unread);
        var refusal = TrackerJson.Parse(body, out var json);
        return (json, refusal);
    }

    /// <summary>Authorizes the request, and finds its events' product.</summary>
    /// <param name="context">The request. A key in its head takes precedence.</param>
    /// <param name="keyInBody">What the tool's protocol has for a key; null if it has nothing.</param>
    /// <param name="site">The tool's own name of the site or app.</param>
    /// <param name="product">The one product that the key is bound to, or else the site.</param>
    /// <returns>Why it may not write, or null. A missing product is refused when the event is recorded.</returns>
    public static Refusal? FindProduct(HttpContext context, string? keyInBody, string? site, out string? product)
    {
        product = null;
        if (context.RefusesToWrite(keyInBody) is { } refusal) return refusal;
        product = context.Key()?.Product ?? site;
        return null;
    }

    /// <summary>Whether the request's key may send events of any age.</summary>
    public static bool MayWriteHistory(HttpContext context) => context.Key() is { MayWriteHistory: true };

    /// <summary>Records one event.</summary>
    /// <param name="fields">If it has no fingerprint, and the server gives one, it has it afterwards.</param>
    /// <returns>Why it is refused, or null once it is committed.</returns>
    public async ValueTask<Refusal?> Record(EventFields fields, HttpContext context) =>
        (await ingestion.Record(fields, context)).Refusal;

    /// <summary>
    /// Records many events, part by part. It stops at a part that cannot be recorded now: the rest is not tried.
    /// </summary>
    /// <param name="sent">What the tool sent, one for each event.</param>
    /// <param name="parse">Makes its fields, when its part is admitted.</param>
    public async ValueTask<TrackedBatch> RecordAll<T>(
        IReadOnlyCollection<T> sent, Func<T, BatchItem> parse, HttpContext context)
    {
        var progress = new BatchProgress(ingestion, context);
        if (sent.Count > limits.BatchBodyEventsMax) return new(progress.ToReceipt(), Refusal.BatchTooLarge(limits));
        foreach (var part in sent.Chunk(limits.BatchPartEventsMax))
        {
            await progress.Record(() => [.. part.Select(parse)]);
            if (progress.Unfinished is not null) break;
        }
        var receipt = progress.ToReceipt();
        return new(receipt, progress.Unfinished is { } unfinished ? unfinished with { Batch = receipt }
            : receipt.Refused.Count == 0 ? null : Refusal.MessagesRefused(receipt));
    }
}

/// <param name="Receipt">What became of its events.</param>
/// <param name="Refusal">
/// Null if all are recorded. With 503, the whole batch has to be sent again. Otherwise the events that the receipt
/// names are refused for good, and all others are recorded; or there are too many, and none is.
/// </param>
internal readonly record struct TrackedBatch(BatchReceipt Receipt, Refusal? Refusal);
