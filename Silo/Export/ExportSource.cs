using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Tally.Silo.Http;
using Tally.Silo.Http.Exports;
using Tally.Silo.Import;
using Tally.Silo.Storage;

namespace Tally.Silo.Export;

/// <summary>The service that an export reads from, and what it is asked for.</summary>
internal sealed class ExportSource : IDisposable
{
    private readonly HttpClient http;
    private readonly string query;
    private readonly string countQuery;

    /// <param name="url">Of the service.</param>
    /// <param name="key">Its read key, where it asks for one.</param>
    /// <param name="format">As the endpoint names it.</param>
    /// <param name="from">As the endpoint reads it; null for all of time.</param>
    /// <param name="to">Likewise.</param>
    /// <param name="product">Null for all.</param>
    public ExportSource(Uri url, string? key, string format, string? from, string? to, string? product)
    {
        // No time limit: where few rows are asked for, the first may be long in coming. A host that is gone is noticed below.
        http = new(new SocketsHttpHandler { AutomaticDecompression = DecompressionMethods.GZip, ConnectCallback = Connect })
        {
            BaseAddress = url,
            Timeout = Timeout.InfiniteTimeSpan,
        };
        if (key is not null) http.DefaultRequestHeaders.Authorization = new("Bearer", key);
        query = QueryOf(("format", format), ("from", from), ("to", to), ("product", product));
        // All of time is what totals do not take by themselves.
        countQuery = QueryOf(("bucket", "all"), ("from", MinuteOf(from, "0001-01-01")), ("to", MinuteOf(to, "9999-12-31")), ("product", product));
    }

    /// <summary>
    /// How many events that is about: the service counts whole minutes, and also what it has pruned.
    /// </summary>
    /// <returns>Null where it does not say.</returns>
    public async Task<long?> Count()
    {
        try
        {
            var answer = await http.GetByteArrayAsync(new Uri($"/api/totals?{countQuery}", UriKind.Relative));
            return JsonSerializer.Deserialize(answer, HttpJson.Default.TotalsAnswer)?.Points is [var everything] ? everything.Events : null;
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or JsonException)
        {
            return null; // the export itself finds out what is wrong
        }
    }

    /// <summary>Reads the rows after a place to their end.</summary>
    /// <param name="after">Null for all.</param>
    /// <param name="read">Given the rows as they come. Throws what the stream throws.</param>
    /// <exception cref="AnswerLostException">The service did not answer, or not to the end: another try may do better.</exception>
    /// <exception cref="StartupException">The service refuses.</exception>
    public async Task Read(ExportCursor? after, Func<Stream, Task> read)
    {
        var cursor = after is { } place ? $"&after={Uri.EscapeDataString(ExportParameters.Write(place))}" : "";
        try
        {
            using var response = await http.GetAsync(
                new Uri($"{ExportEndpoint.Path}?{query}{cursor}", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
            if (IsForNow(response.StatusCode)) throw new AnswerLostException($"it answers {(int)response.StatusCode}") { IsAnswer = true };
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

    // Totals are counted by minutes. A time that cannot be read goes as it is: the export says what is wrong with it.
    private static string? MinuteOf(string? time, string without) => time is null ? without
        : Timestamp.TryParseTimeOrDay(time, out var moment) ? moment.ToString("yyyy-MM-dd'T'HH:mm':00Z'", CultureInfo.InvariantCulture) : time;

    private static bool IsForNow(HttpStatusCode status) => status is HttpStatusCode.ServiceUnavailable
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
    /// <summary>It said that it cannot for now.</summary>
    public bool IsAnswer { get; init; }
}
