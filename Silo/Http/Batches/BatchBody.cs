using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using Tally.Contracts;
using Tally.Silo.Http.Json;

namespace Tally.Silo.Http.Batches;

/// <summary>One item of a batch as it came: its fields, or why there are none.</summary>
internal readonly record struct BatchItem(EventFields? Fields, Refusal? Refusal);

/// <summary>
/// Reads the items of a batch in parts. Nothing is kept of those that were read, so a body costs one part and one item of
/// memory, and is not read on before somebody asks for the next part.
/// </summary>
/// <param name="body">The decoded body.</param>
/// <param name="isArray">A JSON array of items; otherwise one item after the other, with white space between them.</param>
internal sealed class BatchBody(PipeReader body, bool isArray, Limits limits)
{
    private JsonReaderState state = new(new() { AllowMultipleValues = !isArray, MaxDepth = JsonMembers.AnyDepth });
    private bool begun;
    private int items;
    private long bytesConsumed;
    private long bytesWanted = limits.BatchReadAheadBytesMax;
    private ReadResult read;

    /// <summary>The body was read to its end, whether that was a good one or a <see cref="Fault"/>.</summary>
    public bool Ended { get; private set; }

    /// <summary>Why there are no more items, where the body did not end as it should.</summary>
    public Refusal? Fault { get; private set; }

    /// <summary>Waits until the next part is there to be taken. Each wait is followed by a <see cref="TakePart"/>.</summary>
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
    /// The next items: <see cref="Limits.BatchPartEventsMax"/> of them, or those that are there. None where the next one is longer
    /// than what is there.
    /// </summary>
    public List<BatchItem> TakePart()
    {
        var part = new List<BatchItem>();
        if (Ended) return part; // while it waited
        var left = limits.BatchBodyBytesMax - bytesConsumed;
        var tooLarge = read.Buffer.Length > left;
        var buffer = tooLarge ? read.Buffer.Slice(0, left) : read.Buffer;
        var content = bytesConsumed == 0 ? RequestBody.WithoutMark(buffer) : buffer;
        var consumed = buffer.Length - content.Length + Take(content, isFinal: read.IsCompleted && !tooLarge, part);
        var isFull = part.Count == limits.BatchPartEventsMax;
        bytesConsumed += consumed;
        if (tooLarge && !Ended && !isFull) End(Refusal.BatchTooLarge(limits));
        // An item that is not there whole is read again from its begin: of a long one, not for every packet.
        bytesWanted = Math.Min(Math.Max(limits.BatchReadAheadBytesMax, 2 * (buffer.Length - consumed)), left + 1 - consumed);
        body.AdvanceTo(read.Buffer.GetPosition(consumed), isFull ? read.Buffer.GetPosition(consumed) : read.Buffer.End);
        return part;
    }

    private void End(Refusal? fault) => (Ended, Fault) = (true, fault);

    // The bytes of what was taken. All of the next item is in the buffer, or none of it is taken.
    private long Take(ReadOnlySequence<byte> buffer, bool isFinal, List<BatchItem> part)
    {
        var reader = new Utf8JsonReader(buffer, isFinal, state);
        try
        {
            while (!Ended) // beyond a full part too: where nothing follows it, nobody has to wait for room once more to hear that
            {
                var before = reader;
                if (!reader.Read())
                {
                    if (isFinal) End(null);
                    break;
                }
                if (isArray && !begun)
                {
                    if (reader.TokenType != JsonTokenType.StartArray) End(Refusal.MalformedBody("The body is not a JSON array."));
                    begun = true;
                }
                else if (isArray && reader is { TokenType: JsonTokenType.EndArray, CurrentDepth: 0 })
                {
                    // what follows is white space, or a fault
                }
                else if (part.Count == limits.BatchPartEventsMax || !TryTakeItem(buffer, ref reader, part))
                {
                    reader = before;
                    break;
                }
            }
        }
        catch (JsonException)
        {
            End(Refusal.MalformedBody("From some item on, the body is no JSON."));
        }
        state = reader.CurrentState;
        return reader.BytesConsumed;
    }

    private bool TryTakeItem(ReadOnlySequence<byte> buffer, ref Utf8JsonReader reader, List<BatchItem> part)
    {
        var begin = reader.TokenStartIndex;
        if (!reader.TrySkip()) return false;
        if (++items > limits.BatchBodyEventsMax) End(Refusal.BatchTooLarge(limits));
        else if (reader.BytesConsumed - begin > limits.EventBodyBytesMax)
            part.Add(new(null, Refusal.EventTooLarge(limits.EventBodyBytesMax)));
        else
        {
            var refusal = EventJson.Read(buffer.Slice(begin, reader.BytesConsumed - begin), out var fields);
            part.Add(new(fields, refusal));
        }
        return true;
    }
}
