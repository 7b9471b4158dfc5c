using System.Net;
using System.Text.Json;
using Polly;
using Polly.Retry;
using Polly.Timeout;
using Tally.Silo.Http;
using Tally.Silo.Http.Batches;
using Tally.Silo.Storage;

namespace Tally.Silo.Import;

/// <summary>The service that an import writes to. Every event has an id: what is not answered is sent again.</summary>
internal sealed class ServiceClient : IDisposable
{
    // Longer than a rolling restart, or a restart of the database, takes.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    // Larger than a receipt that refuses every event of a batch.
    private const int AnswerBytesMax = 8 << 20;

    private readonly HttpClient http;
    private readonly ResiliencePipeline<HttpResponseMessage> retrying =
        new ResiliencePipelineBuilder<HttpResponseMessage>()
        .AddTimeout(Patience)
        .AddRetry(new RetryStrategyOptions<HttpResponseMessage>
        {
            ShouldHandle = attempt => new(
                attempt.Outcome.Exception is HttpRequestException
                    or TaskCanceledException { InnerException: TimeoutException }
                || attempt.Outcome.Result?.StatusCode is HttpStatusCode.ServiceUnavailable
                    or HttpStatusCode.TooManyRequests
                    or HttpStatusCode.BadGateway or HttpStatusCode.GatewayTimeout),
            DelayGenerator = attempt => new(attempt.Outcome.Result?.Headers.RetryAfter?.Delta),
            MaxRetryAttempts = int.MaxValue, // the timeout ends it
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            Delay = TimeSpan.FromMilliseconds(50),
            MaxDelay = TimeSpan.FromSeconds(2),
        })
        .Build();

    public ServiceClient(Uri url, string? key)
    {
        http = new() { BaseAddress = url, Timeout = Patience / 2, MaxResponseContentBufferSize = AnswerBytesMax };
        if (key is not null) http.DefaultRequestHeaders.Authorization = new("Bearer", key);
    }

    /// <exception cref="StartupException">The service does not answer, or is not ready.</exception>
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
                $"{http.BaseAddress} does not answer: {exception.Message} An import needs a running service",
                exception);
        }
    }

    /// <summary>Sends events, and returns when each is recorded or refused.</summary>
    /// <exception cref="BatchRefusedException">The service refuses the batch for its content.</exception>
    /// <exception cref="StartupException">The service refuses the import, or no longer answers.</exception>
    public async Task<BatchReceipt> Record(ReadOnlyMemory<byte> events, int count)
    {
        try
        {
            using var response = await retrying.ExecuteAsync(async attempt =>
            {
                using var content = new ReadOnlyMemoryContent(events);
                content.Headers.ContentType = new("application/x-ndjson");
                return await http.PostAsync(new Uri("/api/events/batch?history=true", UriKind.Relative), content,
                    attempt);
            });
            var body = await response.Content.ReadAsByteArrayAsync();
            if (response.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.RequestEntityTooLarge
                or HttpStatusCode.UnprocessableEntity)
                throw new BatchRefusedException(DetailOf(body) ?? $"The service answers {(int)response.StatusCode}.")
                {
                    Done = RefusalOf(body)?.Batch is { Refused: not null } done && done.Handled < count ? done : null,
                };
            if (!response.IsSuccessStatusCode)
                throw new StartupException(
                    $"{http.BaseAddress} refuses the events: {(int)response.StatusCode} {DetailOf(body)}");
            return JsonSerializer.Deserialize(body, HttpJson.Default.BatchReceipt) is { Refused: not null } receipt
                && receipt.Handled == count
                && receipt.Refused.All(one => one.Index >= 0 && one.Index < count)
                ? receipt : throw new StartupException($"{http.BaseAddress} answers, but not as Tally does");
        }
        catch (Exception exception)
            when (exception is TimeoutRejectedException or JsonException or HttpRequestException)
        {
            throw new StartupException($"{http.BaseAddress} does not answer any more: {exception.Message}", exception);
        }
    }

    public void Dispose() => http.Dispose();

    /// <summary>A refusal's reason and detail; null if the answer is no refusal.</summary>
    public static string? DetailOf(byte[] body) =>
        RefusalOf(body) is { } refusal ? $"{refusal.Reason}: {refusal.Detail}" : null;

    private static Refusal? RefusalOf(byte[] body)
    {
        try
        {
            return JsonSerializer.Deserialize(body, HttpJson.Default.Refusal);
        }
        catch (JsonException)
        {
            return null; // the answer of a proxy
        }
    }
}

/// <summary>The service refused a whole batch for its content.</summary>
internal sealed class BatchRefusedException(string message) : Exception(message)
{
    /// <summary>The outcome of the events before the one at fault, if the service says so.</summary>
    public BatchReceipt? Done { get; init; }
}
