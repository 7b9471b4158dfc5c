using System.Net;
using System.Net.Sockets;

namespace Tally.Tests.Harness;

/// <summary>
/// Picks ports below the kernel's range for outgoing connections. A port in that range can be taken before it is
/// listened on, even by a client that tries to reach it: its socket then connects to itself.
/// </summary>
internal static class FreePort
{
    private const int First = 12_000;
    private const int Count = 20_000; // up to 32,768, where Linux's range begins by default

    private static int next = Random.Shared.Next(Count);

    public static int Next()
    {
        for (var tries = 0; tries < Count; tries++)
        {
            var port = First + (Interlocked.Increment(ref next) & int.MaxValue) % Count;
            if (IsFree(port)) return port;
        }
        throw new InvalidOperationException("No port is free.");
    }

    private static bool IsFree(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Any, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
