using System.Net.ServerSentEvents;
using System.Text.Json;

namespace Tally.Tests.Harness;

/// <summary>
/// Follows all events as a browser does: when its stream breaks or ends, it resumes on the next silo, where it was.
/// </summary>
public sealed class FeedClient : IAsyncDisposable
{
    public const string Path = "/api/live/events";

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    // The port of a silo that is gone may be another process's by now, which need not answer.
    private static readonly TimeSpan OpeningMax = TimeSpan.FromSeconds(5);

    private readonly IReadOnlyList<IServing> silos;
    private readonly CancellationTokenSource leaving = new();
    private readonly List<(string Fingerprint, long Sequence)> told = [];
    private readonly List<string> others = [];
    private readonly TaskCompletionSource begun = new();
    private readonly Task reading;
    private string? lastEventId;
    private string at = "";
    private int place;

    private FeedClient(IReadOnlyList<IServing> silos, int place)
    {
        (this.silos, this.place) = (silos, place);
        reading = Task.Run(Read);
    }

    /// <summary>How many streams it has opened.</summary>
    public int Streams { get; private set; }

    /// <summary>Messages that are no events.</summary>
    public IReadOnlyList<string> Others { get { lock (told) return [.. others]; } }

    /// <param name="silos">Where it goes when its stream ends, in this order.</param>
    /// <param name="place">The index of the silo to ask first.</param>
    public static async Task<FeedClient> Start(IReadOnlyList<IServing> silos, int place)
    {
        var client = new FeedClient(silos, place);
        await client.begun.Task;
        return client;
    }

    /// <summary>
    /// Waits until it has received as many events as the log has. It must have received all of them, each fingerprint's
    /// in order and none twice.
    /// </summary>
    public async Task AssertKnows(TestDatabase database)
    {
        var heads = (await database.Query("select fingerprint, max(sequence) from events group by fingerprint",
            row => (row.GetString(0), row.GetInt64(1)))).ToDictionary();
        await Eventually.True(async () =>
            {
                if (reading.IsCompleted) await reading; // and says why it is over
                return Told.Count >= heads.Values.Sum();
            },
            () => $"There are {heads.Values.Sum()} events, and {Told.Count} are told on {Streams} streams, the last at "
                + $"{lastEventId}, {at}; {string.Join(' ', Others)}",
            seconds: 30);
        Assert.Empty(Others);
        var byFingerprint = Told.ToLookup(one => one.Fingerprint, one => one.Sequence);
        Assert.Equal(heads.Count, byFingerprint.Count);
        foreach (var (fingerprint, head) in heads)
            Assert.Equal(Enumerable.Range(1, (int)head).Select(i => (long)i), byFingerprint[fingerprint]);
    }

    private List<(string Fingerprint, long Sequence)> Told { get { lock (told) return [.. told]; } }

    public async ValueTask DisposeAsync()
    {
        await leaving.CancelAsync();
        await reading;
        leaving.Dispose();
    }

    private async Task Read()
    {
        while (!leaving.IsCancellationRequested)
        {
            try
            {
                at = $"opening at {place % silos.Count}";
                await using var live = await LiveStream.Open(silos[place++ % silos.Count], Path, lastEventId)
                    .WaitAsync(OpeningMax);
                at = "reading";
                Streams++;
                begun.TrySetResult();
                using var leave = leaving.Token.Register(live.Response.Dispose);
                while (await live.Next() is { EventType: not "end" } item)
                {
                    lastEventId = live.LastEventId;
                    Note(item);
                }
            }
            catch (Exception exception)
                when (exception is HttpRequestException or IOException or OperationCanceledException
                    or ObjectDisposedException or TimeoutException)
            {
                // the silo is gone or cannot answer now, so the next one is asked
            }
            await Task.Delay(Pause);
        }
    }

    private void Note(SseItem<string> item)
    {
        var data = JsonSerializer.Deserialize<JsonElement>(item.Data);
        lock (told)
            if (item.EventType == "message")
                told.Add((data.GetProperty("fingerprint").GetString()!, data.GetProperty("sequence").GetInt64()));
            else others.Add($"{item.EventType}: {item.Data}");
    }
}
