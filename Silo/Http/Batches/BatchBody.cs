using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using Tally.Contracts;
using Tally.Silo.Http.Json;

namespace Tally.Silo.Http.Batches;

/// <summary>One item of a batch: its fields, unchecked, or why it is refused.</summary>
internal readonly record struct BatchItem(EventFields? Fields, Refusal? Refusal);

/// <summary>
/// Parses a batch part by part. Parts that were parsed are not kept, so a body costs the memory of one part and one
/// item, and is not read further until the next part is asked for.
/// </summary>
/// <param name="isArray">Whether it is a JSON array; otherwise it is items separated by white space.</param>
internal sealed class BatchBody(PipeReader body, bool isArray, Limits limits)
{
    private JsonReaderState state = new(new() { AllowMultipleValues = !isArray, MaxDepth = JsonMembers.AnyDepth });
    private bool begun;
    private int items;
    private long bytesConsumed;
    private long bytesWanted = limits.BatchReadAheadBytesMax;
    private ReadResult read;

    /// <summary>There are no more items: the body has ended, or has a <see cref="Fault"/>.</summary>
    public bool Ended { get; private set; }

    /// <summary>Why the body could not be parsed to its end; else null.</summary>
    public Refusal? Fault { get; private set; }

    /// <summary>Waits for the bytes of the next part. <see cref="ParsePart"/> must follow.</summary>
    public async ValueTask WaitForPart(CancellationToken cancellation)
    {
        try
        {
            read = await body.ReadAtLeastAsync((int)bytesWanted, cancellation);
        }
        catch (Exception exception) when (RequestBody.IsFailure(exception))
        {
            End(RequestBody.RefusalOf(exception, limits.BatchBodyBytesMax));
        }
    }

    /// <summary>
    /// Parses the items that have arrived, at most <see cref="Limits.BatchPartEventsMax"/>. Empty if the next item has
    /// not arrived whole.
    /// </summary>
    public List<BatchItem> ParsePart()
    {
        var part = new List<BatchItem>();
        if (Ended) return part; // reading failed
        var left = limits.BatchBodyBytesMax - bytesConsumed;
        var tooLarge = read.Buffer.Length > left;
        var buffer = tooLarge ? read.Buffer.Slice(0, left) : read.Buffer;
        var content = bytesConsumed == 0 ? RequestBody.WithoutByteOrderMark(buffer) : buffer;
        var consumed = buffer.Length - content.Length
            + ParseItems(content, isFinal: read.IsCompleted && !tooLarge, part);
        var isFull = part.Count == limits.BatchPartEventsMax;
        bytesConsumed += consumed;
        if (tooLarge && !Ended && !isFull) End(Refusal.BatchTooLarge(limits));
        // An incomplete item is parsed again from its start. For a long one, not at every packet.
        bytesWanted =
            Math.Min(Math.Max(limits.BatchReadAheadBytesMax, 2 * (buffer.Length - consumed)), left + 1 - consumed);
        body.AdvanceTo(read.Buffer.GetPosition(consumed), isFull ? read.Buffer.GetPosition(consumed) : read.Buffer.End);
        return part;
    }

    private void End(Refusal? fault) => (Ended, Fault) = (true, fault);

    // Returns how many bytes were consumed; an incomplete item is left in the buffer.
    private long ParseItems(ReadOnlySequence<byte> buffer, bool isFinal, List<BatchItem> part)
    {
        var reader = new Utf8JsonReader(buffer, isFinal, state);
        try
        {
            while (!Ended) // after a full part too: it may be the last
            {
                var before = reader;
                if (!reader.Read())
                {
                    if (isFinal) End(null);
                    break;
                }
                if (isArray && !begun)
                {
                    if (reader.TokenType != JsonTokenType.StartArray)
                        End(Refusal.MalformedBody("The body is not a JSON array."));
                    begun = true;
                }
                else if (isArray && reader is { TokenType: JsonTokenType.EndArray, CurrentDepth: 0 })
                {
                    // only white space may follow
                }
                else if (part.Count == limits.BatchPartEventsMax || !TryParseItem(buffer, ref reader, part))
                {
                    reader = before;
                    break;
                }
            }
        }
        catch (JsonException)
        {
            End(Refusal.MalformedBody("From some item on, the body is not JSON."));
        }
        state = reader.CurrentState;
        return reader.BytesConsumed;
    }

    private bool TryParseItem(ReadOnlySequence<byte> buffer, ref Utf8JsonReader reader, List<BatchItem> part)
    {
        var start = reader.TokenStartIndex;
        if (!reader.TrySkip()) return false;
        if (++items > limits.BatchBodyEventsMax) End(Refusal.BatchTooLarge(limits));
        else if (reader.BytesConsumed - start > limits.EventBodyBytesMax)
            part.Add(new(null, Refusal.EventTooLarge(limits.EventBodyBytesMax)));
        else
        {
            var refusal = EventJson.Parse(buffer.Slice(start, reader.BytesConsumed - start), out var fields);
            part.Add(new(fields, refusal));
        }
        return true;
    }
}
