using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Tally.Tests.Harness;

/// <summary>A connection that sends exactly the bytes it is given, which no well-behaved client would.</summary>
public sealed class RawConnection : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TcpClient client = new();
    private BufferedStream stream = null!;

    public static async Task<RawConnection> To(AppProcess app)
    {
        var connection = new RawConnection();
        await connection.client.ConnectAsync("127.0.0.1", app.Port);
        connection.stream = new(connection.client.GetStream());
        return connection;
    }

    /// <param name="text">One byte a character.</param>
    public async Task Send(string text)
    {
        await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(text));
    }

    /// <summary>Sends to a server that may already have hung up.</summary>
    public async Task TrySend(string text)
    {
        try
        {
            await Send(text);
        }
        catch (IOException)
        {
            // its earlier answer can still be received
        }
    }

    /// <summary>Sends nothing more, but still listens.</summary>
    public void EndSending() => client.Client.Shutdown(SocketShutdown.Send);

    /// <summary>The next answer, or null if the server has closed the connection instead.</summary>
    public async Task<RawAnswer?> Receive()
    {
        if (await ReadLine() is not { Length: > 0 } statusLine) return null;
        long length = 0;
        var chunked = false;
        while (await ReadLine() is { Length: > 0 } header)
        {
            if (header.StartsWith("Content-Length: ", StringComparison.OrdinalIgnoreCase))
                length = long.Parse(header[16..], CultureInfo.InvariantCulture);
            if (header.StartsWith("Transfer-Encoding: chunked", StringComparison.OrdinalIgnoreCase)) chunked = true;
        }
        var body = chunked ? await ReadChunks() : await ReadBytes((int)length);
        var status = int.Parse(statusLine.Split(' ')[1], CultureInfo.InvariantCulture);
        return new(status, body is ['{', ..] ? JsonDocument.Parse(body).RootElement : default);
    }

    public ValueTask DisposeAsync()
    {
        client.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<string> ReadChunks()
    {
        var body = new StringBuilder();
        while (true)
        {
            var size = int.Parse((await ReadLine())!, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            body.Append(await ReadBytes(size));
            await ReadLine();
            if (size == 0) return body.ToString();
        }
    }

    private async Task<string> ReadBytes(int count)
    {
        var bytes = new byte[count];
        await stream.ReadExactlyAsync(bytes).AsTask().WaitAsync(Patience);
        return Encoding.UTF8.GetString(bytes);
    }

    private async Task<string?> ReadLine()
    {
        var line = new StringBuilder();
        var one = new byte[1];
        while (await ReadOne(one))
        {
            if (one[0] == '\n') return line.ToString().TrimEnd('\r');
            line.Append((char)one[0]);
        }
        return null;
    }

    private async Task<bool> ReadOne(byte[] one)
    {
        try
        {
            return await stream.ReadAsync(one).AsTask().WaitAsync(Patience) > 0;
        }
        catch (IOException)
        {
            return false; // closed with a reset, because the server had not read everything
        }
    }
}

/// <param name="Body">Undefined if there was none, as when the server itself refused.</param>
public sealed record RawAnswer(int Status, JsonElement Body)
{
    public string? Reason => Text("reason");
    public long Sequence => Body.GetProperty("sequence").GetInt64();

    public string? Text(string name) =>
        Body.ValueKind == JsonValueKind.Object && Body.TryGetProperty(name, out var value) ? value.GetString() : null;
}
