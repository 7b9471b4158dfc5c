using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;
using Tally.Contracts;

namespace Tally.Silo.Webhooks;

/// <summary>
/// Sends one webhook. Only the status of the answer counts. Nothing of it is kept but that, and what it says may not
/// lead the next request anywhere: no redirects, no cookies, no credentials, no proxy.
/// </summary>
internal sealed class WebhookSender : IDisposable
{
    // What is read of an answer, so that its connection can be used again, and for how long.
    private const int AnswerBytesMax = 64 * 1024;
    private static readonly TimeSpan AnswerTimeMax = TimeSpan.FromSeconds(1);

    private const int AnswerHeadKibibytesMax = 16;
    private static readonly TimeSpan ConnectTimeMax = TimeSpan.FromSeconds(10);

    // A name may lead elsewhere later, so a connection ends.
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan ConnectionIdleMax = TimeSpan.FromSeconds(20);

    private readonly HttpMessageInvoker client;
    private readonly Limits limits;
    private readonly TimeProvider clock;

    public WebhookSender(AddressGuard guard, Limits limits, TimeProvider clock)
    {
        (this.limits, this.clock) = (limits, clock);
        client = new(new SocketsHttpHandler
        {
            ConnectCallback = new GuardedConnections(guard).Open,
            ConnectTimeout = ConnectTimeMax,
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            MaxResponseHeadersLength = AnswerHeadKibibytesMax,
            MaxResponseDrainSize = AnswerBytesMax,
            ResponseDrainTimeout = AnswerTimeMax,
            PooledConnectionLifetime = ConnectionLifetime,
            PooledConnectionIdleTimeout = ConnectionIdleMax,
            ActivityHeadersPropagator = null, // traces are nobody else's
        });
    }

    /// <exception cref="OperationCanceledException">The process stops. It may have been delivered.</exception>
    public async Task<WebhookOutcome> Send(
        Uri url, string id, byte[] body, IReadOnlyList<byte[]> secrets, CancellationToken stopping)
    {
        var begun = Stopwatch.GetTimestamp();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        ending.CancelAfter(TimeSpan.FromSeconds(limits.WebhookTrySecondsMax));
        try
        {
            using var request = Request(url, id, body, secrets);
            using var response = await client.SendAsync(request, ending.Token);
            var status = (int)response.StatusCode;
            return new(status, response.IsSuccessStatusCode ? null : WhyNot(status),
                RetryAfter(response.Headers.RetryAfter), Stopwatch.GetElapsedTime(begun));
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            return new(null, ending.IsCancellationRequested ? "no answer in time" : "no connection in time", null,
                Stopwatch.GetElapsedTime(begun));
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or SocketException)
        {
            return new(null, WhyNot(exception), null, Stopwatch.GetElapsedTime(begun));
        }
    }

    public void Dispose() => client.Dispose();

    private HttpRequestMessage Request(Uri url, string id, byte[] body, IReadOnlyList<byte[]> secrets)
    {
        var seconds = clock.GetUtcNow().ToUnixTimeSeconds();
        var request = new HttpRequestMessage(HttpMethod.Post, url)
        {
            Content = new ByteArrayContent(body) { Headers = { ContentType = new("application/json") } },
        };
        request.Headers.Add("webhook-id", id);
        request.Headers.Add("webhook-timestamp", seconds.ToString(CultureInfo.InvariantCulture));
        request.Headers.TryAddWithoutValidation("webhook-signature",
            WebhookSignature.Create(id, seconds, body, secrets));
        request.Headers.Add("User-Agent", "Tally");
        return request;
    }

    private TimeSpan? RetryAfter(RetryConditionHeaderValue? header) =>
        header?.Delta ?? (header?.Date is { } date && date > clock.GetUtcNow() ? date - clock.GetUtcNow() : null);

    private static string WhyNot(int status) =>
        status is >= 300 and < 400 ? $"answered {status}; redirects are not followed" : $"answered {status}";

    // In words of our own: an exception's text may hold what the receiver sent.
    private static string WhyNot(Exception exception) => CauseOf(exception) switch
    {
        AddressRefusedException => "the address is not allowed",
        NameUnknownException => "the name leads to no address",
        SocketException { SocketErrorCode: SocketError.ConnectionRefused } => "the connection was refused",
        AuthenticationException => "no TLS connection, or a certificate that is not trusted",
        _ => exception is not HttpRequestException { HttpRequestError: var kind } ? "the connection broke off"
            : kind switch
            {
                HttpRequestError.ConfigurationLimitExceeded => "the answer's headers are too large",
                HttpRequestError.InvalidResponse => "the answer is not HTTP",
                HttpRequestError.ConnectionError => "no connection",
                HttpRequestError.SecureConnectionError => "no TLS connection, or a certificate that is not trusted",
                _ => "the connection broke off",
            },
    };

    private static Exception CauseOf(Exception exception)
    {
        while (exception is not (AddressRefusedException or NameUnknownException or SocketException
            or AuthenticationException) && exception.InnerException is { } cause) exception = cause;
        return exception;
    }
}
