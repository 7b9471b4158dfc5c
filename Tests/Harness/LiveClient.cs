using System.Globalization;
using System.Text.Json;

namespace Tally.Tests.Harness;

/// <summary>
/// Follows a fingerprint as a browser does: when its stream breaks or ends, it resumes on the next silo.
/// </summary>
public sealed class LiveClient : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private readonly Func<IReadOnlyList<IServing>> silos;
    private readonly string fingerprint;
    private readonly CancellationTokenSource leaving = new();
    private readonly List<long> told = [];
    private readonly Task reading;
    private int place;

    private LiveClient(Func<IReadOnlyList<IServing>> silos, string fingerprint, int place)
    {
        (this.silos, this.fingerprint, this.place) = (silos, fingerprint, place);
        reading = Task.Run(Read);
    }

    public string Fingerprint => fingerprint;

    /// <summary>How many streams it has opened.</summary>
    public int Streams { get; private set; }

    /// <summary>The sequences that it received, in order of arrival.</summary>
    public IReadOnlyList<long> Told { get { lock (told) return [.. told]; } }

    /// <param name="silos">Called each time for the silos that there are now.</param>
    /// <param name="fingerprint">Followed from its first event.</param>
    /// <param name="place">The index of the silo to ask first.</param>
    public static LiveClient Start(Func<IReadOnlyList<IServing>> silos, string fingerprint, int place) =>
        new(silos, fingerprint, place);

    /// <summary>Waits until it has received this many events.</summary>
    public Task Knows(long events) =>
        Eventually.True(() => Task.FromResult(reading.IsCompleted || Told.Count >= events),
        () => $"{fingerprint} has {events} events, and its reader on stream {Streams} was told {Told.Count}, the last {Last}.", seconds: 60);

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
                var all = silos();
                await using var live =
                    await LiveStream.Open(all[place++ % all.Count], LiveStream.PathOf(fingerprint),
                        Last.ToString(CultureInfo.InvariantCulture));
                Streams++;
                using var leave = leaving.Token.Register(live.Response.Dispose);
                while (await live.Next() is { EventType: not "end" } item)
                    lock (told) told.Add(item.EventType == "message"
                        ? JsonSerializer.Deserialize<JsonElement>(item.Data).GetProperty("sequence").GetInt64() : -1);
            }
            catch (Exception exception)
                when (exception is HttpRequestException or IOException or OperationCanceledException
                    or ObjectDisposedException)
            {
                // the silo is gone or cannot answer now, so the next one is asked
            }
            await Task.Delay(Pause);
        }
    }

    private long Last
    {
        get { lock (told) return told.Count == 0 ? 0 : told[^1]; }
    }
}
