using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Tally.Silo.Http;
using Tally.Silo.Http.Exports;
using Tally.Silo.Import;
using Tally.Silo.Storage;

namespace Tally.Silo.Export;

/// <summary>A client of the service that an export reads from.</summary>
internal sealed class ExportSource : IDisposable
{
    private readonly HttpClient http;
    private readonly string query;
    private readonly string countQuery;

    public ExportSource(Uri url, string? key, string format, string? from, string? to, string? product)
    {
        // No time limit: the first of few rows may take long. Keep-alive notices a host that is gone.
        http = new(new SocketsHttpHandler
        {
            AutomaticDecompression = DecompressionMethods.GZip,
            ConnectCallback = Connect
        })
        {
            BaseAddress = url,
            Timeout = Timeout.InfiniteTimeSpan,
        };
        if (key is not null) http.DefaultRequestHeaders.Authorization = new("Bearer", key);
        query = QueryOf(("format", format), ("from", from), ("to", to), ("product", product));
        // Totals have a default range, so all of time must be given.
        countQuery =
            QueryOf(("bucket", "all"), ("from", MinuteOf(from, "0001-01-01")), ("to", MinuteOf(to, "9999-12-31")),
                ("product", product));
    }

    /// <summary>Estimates the number of events: the service counts whole minutes, and pruned events too.</summary>
    /// <returns>Null if it is not known.</returns>
    public async Task<long?> Count()
    {
        try
        {
            var answer = await http.GetByteArrayAsync(new Uri($"/api/totals?{countQuery}", UriKind.Relative));
            return JsonSerializer.Deserialize(answer, HttpJson.Default.TotalsAnswer)?.Points is [var everything]
                ? everything.Events : null;
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or JsonException)
        {
            return null; // the export itself will report the fault
        }
    }

    /// <summary>Reads all rows after a cursor.</summary>
    /// <param name="after">Null for all rows.</param>
    /// <param name="read">Reads the stream of rows, and lets the stream's exceptions pass.</param>
    /// <exception cref="AnswerLostException">The service did not answer, or not to the end. Try again.</exception>
    /// <exception cref="StartupException">The service refuses.</exception>
    public async Task Read(ExportCursor? after, Func<Stream, Task> read)
    {
        var cursor = after is { } place ? $"&after={Uri.EscapeDataString(ExportParameters.ToText(place))}" : "";
        try
        {
            using var response = await http.GetAsync(
                new Uri($"{ExportEndpoint.Path}?{query}{cursor}", UriKind.Relative),
                HttpCompletionOption.ResponseHeadersRead);
            if (IsTemporary(response.StatusCode))
                throw new AnswerLostException($"it answers {(int)response.StatusCode}") { IsAnswer = true };
            if (!response.IsSuccessStatusCode)
                throw new StartupException($"{http.BaseAddress} refuses the export: {(int)response.StatusCode} "
                    + ServiceClient.DetailOf(await response.Content.ReadAsByteArrayAsync()));
            await read(await response.Content.ReadAsStreamAsync());
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or InvalidDataException)
        {
            throw new AnswerLostException(exception.Message, exception);
        }
    }

    public void Dispose() => http.Dispose();

    private static string QueryOf(params (string Name, string? Value)[] parameters) => string.Join('&',
        parameters.Where(one => one.Value is not null).Select(one => $"{one.Name}={Uri.EscapeDataString(one.Value!)}"));

    // Totals take whole minutes. A day begins with one. A malformed time is passed on too: the export reports what is
    // wrong with it.
    private static string? MinuteOf(string? time, string without) => time is null ? without
        : Timestamp.TryParse(time, out var moment)
            ? moment.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm':00Z'", CultureInfo.InvariantCulture) : time;

    private static bool IsTemporary(HttpStatusCode status) => status is HttpStatusCode.ServiceUnavailable
        or HttpStatusCode.TooManyRequests or HttpStatusCode.BadGateway or HttpStatusCode.GatewayTimeout;

    private static async ValueTask<Stream> Connect(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 30);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 10);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
            await socket.ConnectAsync(context.DnsEndPoint, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

/// <summary>The service did not answer, or not to the end.</summary>
internal sealed class AnswerLostException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The service answered that it cannot do this now.</summary>
    public bool IsAnswer { get; init; }
}
