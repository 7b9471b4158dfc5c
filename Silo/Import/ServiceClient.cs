using System.Net;
using System.Text.Json;
using Polly;
using Polly.Retry;
using Polly.Timeout;
using Tally.Silo.Http;
using Tally.Silo.Http.Batches;
using Tally.Silo.Storage;

namespace Tally.Silo.Import;

/// <summary>The service that an import writes to. Every event has an id, so what has no answer is sent again.</summary>
internal sealed class ServiceClient : IDisposable
{
    // A rolling restart, or a database that is started again, takes less.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    // A receipt that refuses each event of a batch is a part of this.
    private const int AnswerBytesMax = 8 << 20;

    private readonly HttpClient http;
    private readonly ResiliencePipeline<HttpResponseMessage> retrying = new ResiliencePipelineBuilder<HttpResponseMessage>()
        .AddTimeout(Patience)
        .AddRetry(new RetryStrategyOptions<HttpResponseMessage>
        {
            ShouldHandle = attempt => new(
                attempt.Outcome.Exception is HttpRequestException or TaskCanceledException { InnerException: TimeoutException }
                || attempt.Outcome.Result?.StatusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests
                    or HttpStatusCode.BadGateway or HttpStatusCode.GatewayTimeout),
            DelayGenerator = attempt => new(attempt.Outcome.Result?.Headers.RetryAfter?.Delta),
            MaxRetryAttempts = int.MaxValue, // the timeout ends it
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            Delay = TimeSpan.FromMilliseconds(50),
            MaxDelay = TimeSpan.FromSeconds(2),
        })
        .Build();

    /// <param name="url">Of the service.</param>
    /// <param name="key">Its write key, where it asks for one.</param>
    public ServiceClient(Uri url, string? key)
    {
        http = new() { BaseAddress = url, Timeout = Patience / 2, MaxResponseContentBufferSize = AnswerBytesMax };
        if (key is not null) http.DefaultRequestHeaders.Authorization = new("Bearer", key);
    }

    /// <exception cref="StartupException">Nobody answers, or not as Tally does.</exception>
    public async Task CheckReady()
    {
        try
        {
            using var response = await http.GetAsync(new Uri("/health/ready", UriKind.Relative));
            if (!response.IsSuccessStatusCode)
                throw new StartupException($"{http.BaseAddress} is not ready: it answers {(int)response.StatusCode}");
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
        {
            throw new StartupException(
                $"{http.BaseAddress} does not answer: {exception.Message} An import needs the service to run", exception);
        }
    }

    /// <summary>Records events; returns when each of them is recorded or refused.</summary>
    /// <param name="events">NDJSON.</param>
    /// <param name="count">How many.</param>
    /// <exception cref="BatchRefusedException">The service refuses them all for what is in them.</exception>
    /// <exception cref="StartupException">The service refuses the import, or does not answer any more.</exception>
    public async Task<BatchReceipt> Record(ReadOnlyMemory<byte> events, int count)
    {
        try
        {
            using var response = await retrying.ExecuteAsync(async attempt =>
            {
                using var content = new ReadOnlyMemoryContent(events);
                content.Headers.ContentType = new("application/x-ndjson");
                return await http.PostAsync(new Uri("/api/events/batch?history=true", UriKind.Relative), content, attempt);
            });
            var body = await response.Content.ReadAsByteArrayAsync();
            if (response.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.RequestEntityTooLarge or HttpStatusCode.UnprocessableEntity)
                throw new BatchRefusedException(DetailOf(body) ?? $"The service answers {(int)response.StatusCode}.")
                {
                    Done = RefusalOf(body)?.Batch is { Refused: not null } done && done.Handled < count ? done : null,
                };
            if (!response.IsSuccessStatusCode)
                throw new StartupException($"{http.BaseAddress} refuses the events: {(int)response.StatusCode} {DetailOf(body)}");
            return JsonSerializer.Deserialize(body, HttpJson.Default.BatchReceipt) is { Refused: not null } receipt && receipt.Handled == count
                && receipt.Refused.All(one => one.Index >= 0 && one.Index < count)
                ? receipt : throw new StartupException($"{http.BaseAddress} answers, but not as Tally does");
        }
        catch (Exception exception) when (exception is TimeoutRejectedException or JsonException or HttpRequestException)
        {
            throw new StartupException($"{http.BaseAddress} does not answer any more: {exception.Message}", exception);
        }
    }

    public void Dispose() => http.Dispose();

    /// <summary>What a refusal says, where the answer is one.</summary>
    public static string? DetailOf(byte[] body) => RefusalOf(body) is { } refusal ? $"{refusal.Reason}: {refusal.Detail}" : null;

    private static Refusal? RefusalOf(byte[] body)
    {
        try
        {
            return JsonSerializer.Deserialize(body, HttpJson.Default.Refusal);
        }
        catch (JsonException)
        {
            return null; // something between says that
        }
    }
}

/// <summary>A batch that the service refuses as a whole for what is in it.</summary>
internal sealed class BatchRefusedException(string message) : Exception(message)
{
    /// <summary>What became of the events before the one at fault, where it says so.</summary>
    public BatchReceipt? Done { get; init; }
}
