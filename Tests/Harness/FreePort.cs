using System.Net;
using System.Net.Sockets;

namespace Tally.Tests.Harness;

/// <summary>
/// Ports below those that the kernel gives to outgoing connections. One of theirs can be taken between the asking and
/// the listening, by any connection or by a client's own attempt to reach it: such a socket then is connected to
/// itself.
/// </summary>
internal static class FreePort
{
    private const int First = 12_000;
    private const int Count = 20_000; // up to 32,768, where Linux begins by default

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
