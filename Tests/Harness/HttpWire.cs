using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Tally.Tests.Harness;

/// <param name="Headers">By lower-case name.</param>
public sealed record Reply(int Status, IReadOnlyDictionary<string, string> Headers, string Body)
{
    /// <summary>Whether the server asked to close this connection.</summary>
    public bool Closes => Headers.GetValueOrDefault("connection") == "close";
}

/// <summary>
/// One HTTP/1.1 connection, one request at a time. HttpClient resends a request by itself if a kept connection turns
/// out closed, which would hide exactly what the tests of crashes and stops look for.
/// </summary>
public sealed class HttpWire : IDisposable
{
    private static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(10);

    private readonly TcpClient tcp;
    private readonly NetworkStream stream;
    private readonly byte[] buffer = new byte[16 * 1024];
    private int start;
    private int end;

    private HttpWire(TcpClient tcp) => (this.tcp, stream) = (tcp, tcp.GetStream());

    /// <returns>Null if nobody listens.</returns>
    public static Task<HttpWire?> Connect(int port) => Connect(new IPEndPoint(IPAddress.Loopback, port));

    /// <returns>Null if nobody listens.</returns>
    public static async Task<HttpWire?> Connect(IPEndPoint address)
    {
        using var patience = new CancellationTokenSource(ConnectPatience);
        var tcp = new TcpClient { NoDelay = true };
        try
        {
            await tcp.ConnectAsync(address, patience.Token);
            return new(tcp);
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException)
        {
            tcp.Dispose();
            return null;
        }
    }

    public static string PostOf(string form) => PostOf("/api/events", "application/x-www-form-urlencoded", form);

    public static string PostOf(string path, string contentType, string body) =>
        $"POST {path} HTTP/1.1\r\nHost: tally\r\n"
        + $"Content-Type: {contentType}\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}";

    public static string GetOf(string path) => $"GET {path} HTTP/1.1\r\nHost: tally\r\n\r\n";

    /// <returns>
    /// Null if the connection ended without a reply; the server may or may not have read the request.
    /// </returns>
    public async Task<Reply?> Ask(string request, CancellationToken cancellation = default)
    {
        try
        {
            await Send(request, cancellation);
            return await Read(cancellation);
        }
        catch (IOException)
        {
            return null;
        }
    }

    public async Task Send(string text, CancellationToken cancellation = default) =>
        await stream.WriteAsync(Encoding.UTF8.GetBytes(text), cancellation);

    /// <exception cref="IOException">The connection ended before the reply did.</exception>
    public async Task<Reply> Read(CancellationToken cancellation = default)
    {
        var status = int.Parse((await ReadLine(cancellation)).Split(' ')[1], CultureInfo.InvariantCulture);
        var headers = new Dictionary<string, string>();
        while (await ReadLine(cancellation) is { Length: > 0 } line)
        {
            var colon = line.IndexOf(':');
            headers[line[..colon].ToLowerInvariant()] = line[(colon + 1)..].Trim();
        }
        var body = headers.GetValueOrDefault("transfer-encoding") == "chunked"
            ? await ReadChunks(cancellation)
            : await ReadBytes(int.Parse(headers.GetValueOrDefault("content-length", "0"), CultureInfo.InvariantCulture),
                cancellation);
        return new(status, headers, body);
    }

    public void Dispose() => tcp.Dispose();

    private async Task<string> ReadChunks(CancellationToken cancellation)
    {
        var body = new StringBuilder();
        while (true)
        {
            var length = int.Parse(await ReadLine(cancellation), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            body.Append(await ReadBytes(length, cancellation));
            await ReadLine(cancellation);
            if (length == 0) return body.ToString();
        }
    }

    private async Task<string> ReadLine(CancellationToken cancellation)
    {
        var line = new StringBuilder();
        while (true)
        {
            var next = (char)await ReadByte(cancellation);
            if (next == '\n') return line.ToString().TrimEnd('\r');
            line.Append(next);
        }
    }

    private async Task<string> ReadBytes(int count, CancellationToken cancellation)
    {
        var bytes = new byte[count];
        for (var i = 0; i < count; i++) bytes[i] = await ReadByte(cancellation);
        return Encoding.UTF8.GetString(bytes);
    }

    private async ValueTask<byte> ReadByte(CancellationToken cancellation)
    {
        if (start == end)
        {
            (start, end) = (0, await stream.ReadAsync(buffer, cancellation));
            if (end == 0) throw new EndOfStreamException("The connection ended.");
        }
        return buffer[start++];
    }
}
