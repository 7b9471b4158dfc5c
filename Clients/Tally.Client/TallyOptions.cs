using System.Text.Encodings.Web;
using System.Text.Json;

namespace Tally.Client;

/// <summary>How a <see cref="TallyClient"/> sends. Set it before the client is made, and leave it so.</summary>
public sealed class TallyOptions
{
    /// <summary>
    /// Tally's address, such as <c>https://tally.example</c>; a path is kept, for a Tally behind a proxy. Required,
    /// with <c>http</c> or <c>https</c>.
    /// </summary>
    public Uri? Address { get; set; }

    /// <summary>
    /// A write key of Tally's. Null if it has none. It is sent in the header <c>Authorization</c>, without white space
    /// around it, such as the end of a file's line.
    /// </summary>
    public string? Key { get; set; }

    internal string? TrimmedKey => Key?.Trim();

    /// <summary>The product of events that name none. Null if each event names its own.</summary>
    public string? Product { get; set; }

    /// <summary>
    /// How many events may wait, in memory and in <see cref="QueueFolder"/> alike; those of the request under way come
    /// on top, and none that an earlier process left is dropped for it. <see cref="WhenFull"/> says what happens to
    /// more. An event takes its JSON and about 150 bytes.
    /// </summary>
    public int QueueEventsMax { get; set; } = 10_000;

    /// <summary>Which event is dropped when <see cref="QueueEventsMax"/> events wait.</summary>
    public WhenFull WhenFull { get; set; } = WhenFull.DropNewest;

    /// <summary>
    /// A folder for this process alone, where events that wait are also kept as files, so that they survive its end,
    /// planned or not: the next process with this folder sends them. Null keeps them in memory only.
    /// </summary>
    /// <remarks>
    /// <see cref="TallyClient.Track(TallyEvent)"/> then writes the event to the operating system before it returns, so
    /// it survives a crash of the process. It is not flushed to the disk: a machine that loses power may lose what was
    /// tracked in the last seconds. If the folder cannot be used, because another process has it or the disk is full,
    /// this is logged and events are kept in memory. The files have no key in them, and only this user can read them.
    /// </remarks>
    public string? QueueFolder { get; set; }

    /// <summary>How long an event waits for others that share its request. Zero sends at once.</summary>
    public TimeSpan BatchDelay { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How many events a request has at most: 1 to 5,000, Tally's default limit.</summary>
    public int BatchEventsMax { get; set; } = 500;

    /// <summary>
    /// How many bytes of JSON an event has at most, by default Tally's limit. A larger one is refused without being
    /// sent.
    /// </summary>
    public int EventBytesMax { get; set; } = 64 * 1024;

    /// <summary>How long a request may take, after which it is sent again.</summary>
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long to wait after the first failure. Each further failure doubles it, up to <see cref="RetryDelayMax"/>,
    /// and a random part of up to half is subtracted. If Tally asks for more time (<c>Retry-After</c>), it gets that,
    /// up to an hour.
    /// </summary>
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest wait between two tries.</summary>
    public TimeSpan RetryDelayMax { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// How long <see cref="TallyClient.DisposeAsync"/> waits for the events that wait. In a host, the host's shutdown
    /// timeout counts instead.
    /// </summary>
    public TimeSpan StopTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How properties are written as JSON, which Tally keeps as it is. By default names stay.</summary>
    public JsonSerializerOptions Json { get; set; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>
    /// Called once for each event that is refused for good, so that it will never be recorded: on the caller's thread
    /// if <see cref="TallyClient.Track(TallyEvent)"/> refuses it, else in the background, where it holds up the sending
    /// of others. What it throws is logged.
    /// </summary>
    public Action<TallyRefusal>? Refused { get; set; }

    /// <exception cref="ArgumentException">A value is missing or out of range.</exception>
    internal void Validate()
    {
        Check(Address is { IsAbsoluteUri: true, Scheme: "http" or "https" },
            "Address must be Tally's address, such as https://tally.example.");
        Check(TrimmedKey?.All(one => one is > ' ' and <= '~') ?? true, "Key must be ASCII without spaces.");
        Check(QueueEventsMax >= 1, "QueueEventsMax must be 1 or more.");
        Check(BatchEventsMax is >= 1 and <= 5_000, "BatchEventsMax must be 1 to 5,000.");
        Check(EventBytesMax >= 1, "EventBytesMax must be 1 or more.");
        Check(Enum.IsDefined(WhenFull), "WhenFull must be one of its values.");
        Check(Json is not null, "Json must not be null.");
        Check(IsTime(BatchDelay) && IsTime(RetryDelay) && IsTime(RetryDelayMax) && IsTime(StopTimeout),
            "Times must be from zero to a day.");
        Check(IsTime(RequestTimeout) && RequestTimeout > TimeSpan.Zero, "RequestTimeout must be above zero.");
    }

    private static void Check(bool isRight, string otherwise)
    {
        if (!isRight) throw new ArgumentException(otherwise);
    }

    private static bool IsTime(TimeSpan time) => time >= TimeSpan.Zero && time <= TimeSpan.FromDays(1);
}
