using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Tally.Tests.Harness;

/// <summary>Asks, then reads the answer so slowly that the server has to hold it: the receive buffer is tiny.</summary>
public sealed class SlowReader : IDisposable
{
    private const int BytesAtOnce = 1024;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly Socket socket =
        new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 2048 };
    private readonly byte[] buffer = new byte[BytesAtOnce];

    private SlowReader() { }

    public int Status { get; private set; }

    /// <summary>What came with the answer's head.</summary>
    public string Begin { get; private set; } = "";

    /// <summary>Whether the connection has ended.</summary>
    public bool IsEnded { get; private set; }

    /// <summary>Returns when the answer begins, and reads no more of it.</summary>
    public static async Task<SlowReader> Ask(AppProcess app, string path)
    {
        var reader = new SlowReader();
        await reader.socket.ConnectAsync(IPAddress.Loopback, app.Port);
        await reader.socket.SendAsync(Encoding.ASCII.GetBytes(HttpWire.GetOf(path)));
        reader.Begin = Encoding.UTF8.GetString(reader.buffer, 0, await reader.socket.ReceiveAsync(reader.buffer));
        reader.Status = int.Parse(reader.Begin.Split(' ')[1], CultureInfo.InvariantCulture);
        return reader;
    }

    /// <summary>Reads on at a kilobyte a second, until one side ends the connection.</summary>
    public async Task Trickle()
    {
        try
        {
            while (await socket.ReceiveAsync(buffer) > 0) await Task.Delay(Pause);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // reset, or the test is over
        }
        IsEnded = true;
    }

    public void Dispose() => socket.Dispose();
}
