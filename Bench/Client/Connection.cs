using System.Net;
using System.Net.Sockets;

namespace Tally.Bench.Client;

/// <summary>One connection with at most one request under way.</summary>
internal sealed class Connection : IDisposable
{
    // A socket takes this much at once by default. Larger requests raise its buffer, so that a send never waits.
    private const int UsualRequestBytes = 16 * 1024;
    private const int LargeSendBytes = 1024 * 1024;

    private byte[] answer = new byte[2048];
    private int length;

    public Connection(int port)
    {
        Socket.Connect(IPAddress.Loopback, port);
        Socket.Blocking = false;
    }

    public Socket Socket { get; } =
        new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    /// <summary>
    /// When the request under way was due, as a <see cref="System.Diagnostics.Stopwatch"/> timestamp.
    /// </summary>
    public long Due { get; private set; }

    public void Send(ReadOnlySpan<byte> request, long due)
    {
        (Due, length) = (due, 0);
        if (request.Length > UsualRequestBytes && Socket.SendBufferSize < LargeSendBytes / 4)
            Socket.SendBufferSize = LargeSendBytes;
        if (Socket.Send(request, SocketFlags.None) != request.Length)
            throw new IOException($"A request of {request.Length} bytes does not fit into a socket.");
    }

    /// <returns>The answer's status; null while more of it is to come.</returns>
    public int? Receive()
    {
        if (length == answer.Length) Array.Resize(ref answer, length * 4);
        var read = Socket.Receive(answer.AsSpan(length), SocketFlags.None, out var error);
        if (error == SocketError.WouldBlock) return null;
        if (read == 0) throw new IOException($"The server closed a connection ({error}).");
        length += read;
        return AnswerFrame.Status(answer.AsSpan(0, length));
    }

    public void Dispose() => Socket.Dispose();
}
