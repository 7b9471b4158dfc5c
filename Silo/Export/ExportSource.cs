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

    /// <param name="url">Of the service.</param>
    /// <param name="key">Its read key, where it asks for one.</param>
    /// <param name="parameters">Of the endpoint; those that are null are not sent.</param>
    public ExportSource(Uri url, string? key, params IEnumerable<(string Name, string? Value)> parameters)
    {
        // No time limit: where few rows are asked for, the first may be long in coming. A host that is gone is noticed below.
        http = new(new SocketsHttpHandler { AutomaticDecompression = DecompressionMethods.GZip, ConnectCallback = Connect })
        {
            BaseAddress = url,
            Timeout = Timeout.InfiniteTimeSpan,
        };
        if (key is not null) http.DefaultRequestHeaders.Authorization = new("Bearer", key);
        query = string.Join('&', parameters.Where(one => one.Value is not null).Select(one => $"{one.Name}={Uri.EscapeDataString(one.Value!)}"));
    }

    /// <summary>
    /// How many events that is about: the service counts whole minutes, and also what it has pruned.
    /// </summary>
    /// <returns>Null where it does not say.</returns>
    public async Task<long?> Count()
    {
        try
        {
            // Of a parameter that is given twice the service would say so: all of time is what is not asked for more narrowly.
            // All of time is what the service does not take by itself; a parameter given twice it refuses.
            (string Name, string Bound)[] ends = [("from", "0001-01-01"), ("to", "9999-12-31")];
            var all = string.Concat(ends.Where(end => !$"&{query}".Contains($"&{end.Name}=", StringComparison.Ordinal)).Select(end => $"&{end.Name}={end.Bound}"));
            var answer = await http.GetByteArrayAsync(new Uri($"/api/totals?{query}{all}&bucket=all", UriKind.Relative));
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
