using System.Globalization;
using System.Net.ServerSentEvents;
using System.Text.Json;

namespace Tally.Tests.Harness;

/// <summary>A live stream, read by .NET's own parser.</summary>
public sealed class LiveStream : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly HttpResponseMessage response;
    private readonly SseParser<string> parser;
    private readonly IAsyncEnumerator<SseItem<string>> items;

    private LiveStream(HttpResponseMessage response, Stream body)
    {
        this.response = response;
        parser = SseParser.Create(body);
        items = parser.EnumerateAsync().GetAsyncEnumerator();
    }

    public HttpResponseMessage Response => response;
    public string LastEventId => parser.LastEventId;
    public TimeSpan ReconnectionInterval => parser.ReconnectionInterval;

    public static string PathOf(string fingerprint) => Requests.Path(fingerprint) + "/live";

    /// <summary>Opens a stream, which must be answered with 200; from then on nothing is missed.</summary>
    public static async Task<LiveStream> Open(IServing app, string path, string? lastEventId = null, string? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (lastEventId is not null) request.Headers.TryAddWithoutValidation("Last-Event-ID", lastEventId);
        if (key is not null) request.Headers.Authorization = new("Bearer", key);
        var response = await app.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        if (!response.IsSuccessStatusCode)
            throw new HttpRequestException(await response.Content.ReadAsStringAsync(), null, response.StatusCode);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.ToString());
        return new(response, await response.Content.ReadAsStreamAsync());
    }

    /// <summary>The next message, or null if the stream has ended cleanly.</summary>
    /// <exception cref="IOException">The connection broke.</exception>
    public async Task<SseItem<string>?> Next() =>
        await items.MoveNextAsync().AsTask().WaitAsync(Patience) ? items.Current : null;

    /// <summary>The data of the next message, which must have no event name.</summary>
    public async Task<JsonElement> NextData()
    {
        var item = await Next();
        Assert.True(item?.EventType == "message", $"{item?.EventType}: {item?.Data}");
        return JsonSerializer.Deserialize<JsonElement>(item!.Value.Data);
    }

    /// <summary>The sequences of the next messages, which must all be events.</summary>
    public async Task<List<long>> Sequences(int count)
    {
        var sequences = new List<long>();
        while (sequences.Count < count)
        {
            sequences.Add((await NextData()).GetProperty("sequence").GetInt64());
            Assert.Equal(sequences[^1].ToString(CultureInfo.InvariantCulture), LastEventId);
        }
        return sequences;
    }

    /// <summary>Asserts the next message's name and reason.</summary>
    public async Task AssertNext(string name, string reason)
    {
        var item = await Next();
        Assert.Equal((name, $$"""{"reason":"{{reason}}"}"""), (item?.EventType, item?.Data));
    }

    public async ValueTask DisposeAsync()
    {
        response.Dispose(); // first, because the enumerator waits for the read that is under way
        try
        {
            await items.DisposeAsync();
        }
        catch (NotSupportedException)
        {
            // it was still being read
        }
    }
}
