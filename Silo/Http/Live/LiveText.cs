using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Tally.Contracts;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Live;

/// <summary>
/// What readers are told, in the bytes of an event stream
/// (https://html.spec.whatwg.org/multipage/server-sent-events.html): made once, however many read it.
/// </summary>
internal sealed class LiveText
{
    private const string RetryMilliseconds = "1000";

    private readonly byte[] bytes;
    private readonly int[] starts; // of each event in the bytes
    private int holders;

    private LiveText(byte[] bytes, int[]? starts = null, long firstSequence = 0) =>
        (this.bytes, this.starts, FirstSequence) = (bytes, starts ?? [], firstSequence);

    /// <summary>The first on every stream: so soon to come back when it breaks off.</summary>
    public static LiveText Greeting { get; } = From($"retry: {RetryMilliseconds}\n\n");

    /// <summary>A comment, so that neither a proxy nor the reader takes silence for the end.</summary>
    public static LiveText Heartbeat { get; } = From(": alive\n\n");

    /// <summary>The history was erased: what follows is a new one, from its begin.</summary>
    public static LiveText Erased { get; } = From("event: reset\nid: 0\ndata: {\"reason\":\"erased\"}\n\n");

    public int Length => bytes.Length;

    /// <summary>Counts its bytes, once however many hold it, until as many have let it go.</summary>
    public void Hold(HeldBytes held)
    {
        if (Interlocked.Increment(ref holders) == 1) held.Hold(Length);
    }

    public void LetGo(HeldBytes held)
    {
        if (Interlocked.Decrement(ref holders) == 0) held.Release(Length);
    }

    /// <summary>0 where it is no events'.</summary>
    private long FirstSequence { get; }

    /// <summary>The last on a stream that this side ends.</summary>
    public static LiveText End(string reason) =>
        From($"event: end\nretry: {RetryMilliseconds}\ndata: {{\"reason\":\"{reason}\"}}\n\n");

    public static LiveText From(LiveCounts counts)
    {
        var text = new ArrayBufferWriter<byte>();
        text.Write("data: "u8);
        using (var json = new Utf8JsonWriter(text)) JsonSerializer.Serialize(json, counts, HttpJson.Default.LiveCounts);
        text.Write("\n\n"u8);
        return new(text.WrittenSpan.ToArray());
    }

    /// <param name="firstSequence">Of the first event.</param>
    /// <param name="events">At least one; no sequence between them is missing.</param>
    public static LiveText From(long firstSequence, IReadOnlyCollection<Event> events)
    {
        var text = new ArrayBufferWriter<byte>(256 * events.Count);
        var starts = new int[events.Count];
        using var json = new Utf8JsonWriter(text);
        var index = 0;
        foreach (var e in events)
        {
            starts[index] = text.WrittenCount;
            var sequence = firstSequence + index++;
            text.Write("id: "u8);
            text.Write(Encoding.ASCII.GetBytes(sequence.ToString(CultureInfo.InvariantCulture)));
            text.Write("\ndata: "u8);
            JsonSerializer.Serialize(json,
                LoggedEvent.Create(sequence, e with { Properties = OnOneLine(e.Properties) }),
                HttpJson.Default.LoggedEvent);
            json.Flush();
            json.Reset();
            text.Write("\n\n"u8);
        }
        return new(text.WrittenSpan.ToArray(), starts, firstSequence);
    }

    /// <param name="news">Of all fingerprints, at least one.</param>
    /// <param name="filter">Which of the events are told. Where it takes none, the reader learns how far it is.</param>
    public static LiveText From(IReadOnlyList<FeedNews> news, FeedFilter filter)
    {
        var text = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(text);
        FeedPosition? told = null;
        foreach (var one in news)
        {
            if (!filter.Takes(one)) continue;
            told = one.Position;
            WriteId(text, one.Position);
            text.Write(one switch
            {
                { Event: not null } => "data: "u8,
                { Clock: not null } => "event: firing\ndata: "u8,
                _ => "event: skipped\ndata: "u8,
            });
            Write(json, one);
            json.Flush();
            json.Reset();
            text.Write("\n\n"u8);
        }
        if (told != news[^1].Position)
        {
            WriteId(text, news[^1].Position);
            text.Write("\n"u8);
        }
        return new(text.WrittenSpan.ToArray());
    }

    private static void Write(Utf8JsonWriter json, FeedNews one)
    {
        if (one.Event is not null)
        {
            var e = FeedEvent.From(one);
            JsonSerializer.Serialize(json, e with { Properties = OnOneLine(e.Properties) }, HttpJson.Default.FeedEvent);
        }
        else if (one.Clock is not null)
            JsonSerializer.Serialize(json, FeedClockFiring.From(one.Clock), HttpJson.Default.FeedClockFiring);
        else
        {
            json.WriteStartObject();
            json.WriteNumber("events", one.Skipped);
            json.WriteEndObject();
        }
    }

    /// <summary>Where a reader of all events is: no message, but what it comes back with.</summary>
    public static LiveText At(FeedPosition position) => From($"id: {position}\n\n");

    /// <summary>What followed where the reader was is not known any more; it goes on here.</summary>
    public static LiveText Missed(FeedPosition position) =>
        From($"event: reset\nid: {position}\ndata: {{\"reason\":\"too_old\"}}\n\n");

    private static void WriteId(ArrayBufferWriter<byte> text, FeedPosition position) =>
        text.Write(Encoding.ASCII.GetBytes($"id: {position}\n"));

    /// <summary>Of events those after a sequence; anything else whole.</summary>
    public ReadOnlyMemory<byte> After(long sequence)
    {
        var known = FirstSequence == 0 ? 0 : Math.Max(0, sequence + 1 - FirstSequence);
        return known == 0 ? bytes : known >= starts.Length ? default : bytes.AsMemory(starts[known]);
    }

    /// <summary>Where a reader of this stands who stood at a sequence before.</summary>
    public long PositionAfter(long sequence) =>
        this == Erased ? 0 : FirstSequence == 0 ? sequence : Math.Max(sequence, FirstSequence + starts.Length - 1);

    private static LiveText From(string text) => new(Encoding.UTF8.GetBytes(text));

    // Properties are kept as the client wrote them. In JSON a line break is white space or is escaped, and here it
    // would end the field.
    private static string? OnOneLine(string? json) => json?.Replace('\n', ' ').Replace('\r', ' ');
}
