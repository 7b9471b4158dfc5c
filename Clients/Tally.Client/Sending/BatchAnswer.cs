using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tally.Client.Sending;

/// <summary>An item of a batch that is not recorded.</summary>
internal sealed record RefusedItem(int Index, int Status, string Reason, string Detail, string? Field)
{
    /// <summary>Whether the same item may be recorded later.</summary>
    [JsonIgnore]
    public bool IsTemporary => BatchAnswer.IsTemporary(Status);
}

/// <summary>What became of a batch.</summary>
/// <param name="Handled">Of these items, from the first on, each is recorded unless it is among the refused.</param>
/// <param name="Refused">The handled items that are not recorded.</param>
/// <param name="Problem">Why items are to be sent again, in words for the log; null if none are.</param>
internal sealed record BatchAnswer(int Handled, IReadOnlyList<RefusedItem> Refused, string? Problem = null)
{
    // Of an address that is not Tally's batches, such as one with a wrong path.
    private const int WrongAddress = 404, WrongMethod = 405;

    /// <summary>How long the server asks to wait.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>
    /// Why the first item that was not handled, or one after it, is at fault. Smaller batches find it.
    /// </summary>
    public RefusedItem? Fault { get; init; }

    /// <summary>Nothing is known of any item.</summary>
    public static BatchAnswer Failed(string problem) => new(0, [], problem);

    /// <summary>Whether a status asks for the same request again: overload, faults, waits that were too long.</summary>
    public static bool IsTemporary(int status) => status is 408 or 429 or >= 500;

    /// <param name="sent">How many items the batch had.</param>
    public static BatchAnswer Of(int status, ReadOnlySpan<byte> body, int sent)
    {
        var document = Parse(body);
        var receipt = document?.Batch ?? (document?.Handled is { } handled
            ? new AnswerReceipt(handled, document.Refused ?? []) : null);
        if (receipt is not null && !receipt.Fits(sent)) (document, receipt) = (null, null);
        if (status == (int)HttpStatusCode.OK)
            return document?.Ignored is { } ignored
                ? All(sent, new(0, status, "ignored", $"Tally ignores the sender: {ignored}.", null))
                : receipt is { } whole && whole.Handled == sent ? Settled(whole, null)
                : Failed("the answer is not Tally's");

        var (done, problem) = (receipt ?? new(0, []), $"{status} {document?.Reason}".TrimEnd());
        if (IsTemporary(status)) return Settled(done, problem);
        var refusal = new RefusedItem(0, status, document?.Reason ?? "refused", document?.Detail ?? problem,
            document?.Field);
        // What has no reason is the answer of something between. It says nothing of events, except that they are too
        // large.
        return status == (int)HttpStatusCode.RequestEntityTooLarge
                || (status == (int)HttpStatusCode.BadRequest && document?.Reason is not null)
            ? Settled(done, problem) with { Fault = refusal }
            : status is >= 400 and < 500 and not WrongAddress and not WrongMethod && document?.Reason is not null
                ? All(sent, refusal)
            : Failed(problem);
    }

    private static BatchAnswer All(int sent, RefusedItem refusal) =>
        new(sent, [.. Enumerable.Range(0, sent).Select(index => refusal with { Index = index })]);

    private static BatchAnswer Settled(AnswerReceipt receipt, string? problem) => new(receipt.Handled, receipt.Refused,
        problem ?? (receipt.Refused.FirstOrDefault(one => one.IsTemporary) is { } first
            ? $"{first.Status} {first.Reason}" : null));

    private static AnswerDocument? Parse(ReadOnlySpan<byte> body)
    {
        try
        {
            return JsonSerializer.Deserialize(body, AnswerJson.Default.AnswerDocument);
        }
        catch (JsonException)
        {
            return null; // not Tally's
        }
    }
}

/// <summary>A batch's receipt.</summary>
internal sealed record AnswerReceipt(int Handled, IReadOnlyList<RefusedItem> Refused)
{
    public bool Fits(int sent) => Handled >= 0 && Handled <= sent && Refused is not null
        && Refused.All(one => one is not null && one.Index >= 0 && one.Index < Handled);
}

/// <summary>A receipt, a problem document, or what a bot is told.</summary>
internal sealed record AnswerDocument(int? Handled, IReadOnlyList<RefusedItem>? Refused, AnswerReceipt? Batch,
    string? Reason, string? Detail, string? Field, string? Ignored);

[JsonSerializable(typeof(AnswerDocument))]
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
internal sealed partial class AnswerJson : JsonSerializerContext;
