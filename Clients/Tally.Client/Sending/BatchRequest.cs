using System.Net.Http.Headers;
using System.Net.Sockets;
using Tally.Client.Waiting;

namespace Tally.Client.Sending;

/// <summary>Posts batches to Tally.</summary>
internal sealed class BatchRequest : IDisposable
{
    private const int AnswerBytesMax = 8 << 20; // more than a receipt that refuses 5,000 events

    // A name may lead elsewhere later, so a connection ends.
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(2);

    // As text, an event whose time is out of range counts when it arrives: nobody can correct this machine's clock
    // afterwards, nor send an event earlier that waited for too long.
    private static readonly MediaTypeHeaderValue Text = new("text/plain");

    private readonly HttpClient http;
    private readonly Uri url;
    private readonly TimeSpan timeout;

    public BatchRequest(TallyOptions options)
    {
        var address = options.Address!.GetLeftPart(UriPartial.Path);
        url = new(new Uri(address.EndsWith('/') ? address : address + "/"), "api/events/batch");
        timeout = options.RequestTimeout;
        http = new(new SocketsHttpHandler
        {
            AllowAutoRedirect = false, // a redirected POST may lose its body
            PooledConnectionLifetime = ConnectionLifetime,
            UseCookies = false,
        })
        {
            Timeout = Timeout.InfiniteTimeSpan,
            MaxResponseContentBufferSize = AnswerBytesMax,
        };
        http.DefaultRequestHeaders.UserAgent.Add(new("Tally.Client",
            typeof(BatchRequest).Assembly.GetName().Version?.ToString(3)));
        if (options.TrimmedKey is { Length: > 0 } key) http.DefaultRequestHeaders.Authorization = new("Bearer", key);
    }

    /// <summary>The address, without anything that is secret.</summary>
    public string Address =>
        url.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);

    /// <exception cref="OperationCanceledException">The client ends. The batch may be recorded.</exception>
    public async Task<BatchAnswer> Post(IReadOnlyList<PendingEvent> events, CancellationToken ending)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ending);
        patience.CancelAfter(timeout);
        try
        {
            using var content = new ByteArrayContent(Body(events)) { Headers = { ContentType = Text } };
            using var response = await http.PostAsync(url, content, patience.Token);
            var body = await response.Content.ReadAsByteArrayAsync(patience.Token);
            return BatchAnswer.Of((int)response.StatusCode, body, events.Count) with
            {
                RetryAfter = RetryAfter(response.Headers.RetryAfter),
            };
        }
        catch (OperationCanceledException) when (!ending.IsCancellationRequested)
        {
            return BatchAnswer.Failed("no answer in time");
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or SocketException)
        {
            return BatchAnswer.Failed(exception.Message);
        }
    }

    public void Dispose() => http.Dispose();

    // A JSON array. White space before a comma, as each line's end is, means nothing.
    private static byte[] Body(IReadOnlyList<PendingEvent> events)
    {
        var body = new byte[1 + events.Sum(one => one.Line.Length + 1)];
        var at = 0;
        foreach (var one in events)
        {
            body[at] = at == 0 ? (byte)'[' : (byte)',';
            one.Line.CopyTo(body, at + 1);
            at += 1 + one.Line.Length;
        }
        body[at] = (byte)']';
        return body;
    }

    private static TimeSpan? RetryAfter(RetryConditionHeaderValue? header) =>
        header?.Delta ?? (header?.Date is { } date ? date - DateTimeOffset.UtcNow : null);
}
