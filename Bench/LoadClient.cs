using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Tally.Bench;

/// <summary>
/// A closed loop over raw sockets: each connection sends its next request when the last is answered. Requests are
/// prepared bytes with the varying part overwritten, so that the client costs little of the machine it shares with
/// what it measures.
/// </summary>
internal static class LoadClient
{
    /// <summary>Answered requests, and those among them that were no 200.</summary>
    public sealed record Result(double PerSecond, long Failed);

    /// <param name="port">On the loopback.</param>
    /// <param name="connections">Requests under way at once.</param>
    /// <param name="seconds">How long.</param>
    /// <param name="next">The number that the next request's fingerprint carries.</param>
    public static async Task<Result> Run(int port, int connections, double seconds, Func<long> next)
    {
        var start = TimeProvider.System.GetTimestamp();
        var stop = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        var loops = Enumerable.Range(0, connections).Select(_ => Task.Run(() => Loop(port, next, stop.Token))).ToList();
        var counts = await Task.WhenAll(loops);
        var elapsed = TimeProvider.System.GetElapsedTime(start).TotalSeconds;
        return new(counts.Sum(count => count.Answered) / elapsed, counts.Sum(count => count.Failed));
    }

    private static async Task<(long Answered, long Failed)> Loop(int port, Func<long> next, CancellationToken stop)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, port, CancellationToken.None);
        var request = new Request();
        var buffer = new byte[4096];
        long answered = 0, failed = 0;
        while (!stop.IsCancellationRequested)
        {
            await socket.SendAsync(request.With(next()), SocketFlags.None, CancellationToken.None);
            if (!await ReadAnswer(socket, buffer)) failed++;
            answered++;
        }
        return (answered, failed);
    }

    // True for a 200. Answers here are small: they arrive in one or two pieces.
    private static async Task<bool> ReadAnswer(Socket socket, byte[] buffer)
    {
        var length = 0;
        while (true)
        {
            var read = await socket.ReceiveAsync(buffer.AsMemory(length), SocketFlags.None, CancellationToken.None);
            if (read == 0) throw new IOException("The server closed the connection.");
            length += read;
            if (IsWhole(buffer.AsSpan(0, length))) return buffer.AsSpan(0, length).StartsWith("HTTP/1.1 200"u8);
        }
    }

    private static bool IsWhole(ReadOnlySpan<byte> answer)
    {
        var head = answer.IndexOf("\r\n\r\n"u8);
        if (head < 0) return false;
        var at = answer[..head].IndexOf("Content-Length: "u8);
        if (at < 0) return answer.EndsWith("0\r\n\r\n"u8); // chunked
        var bodyLength = 0;
        foreach (var digit in answer[(at + "Content-Length: ".Length)..head])
        {
            if (digit is < (byte)'0' or > (byte)'9') break;
            bodyLength = bodyLength * 10 + digit - '0';
        }
        return answer.Length >= head + 4 + bodyLength;
    }

    private sealed class Request
    {
        private const int Digits = 12;

        private readonly byte[] bytes;

        public Request()
        {
            var body = "action=view&product=k8s&fingerprint=fp-" + new string('0', Digits);
            bytes = Encoding.ASCII.GetBytes("POST /api/events HTTP/1.1\r\nHost: bench\r\n"
                + $"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {body.Length}\r\n\r\n{body}");
        }

        public ReadOnlyMemory<byte> With(long number)
        {
            for (var i = bytes.Length - 1; i >= bytes.Length - Digits; i--, number /= 10) bytes[i] = (byte)('0' + number % 10);
            return bytes;
        }
    }
}
