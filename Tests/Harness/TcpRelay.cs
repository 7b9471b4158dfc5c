using System.Net;
using System.Net.Sockets;

namespace Tally.Tests.Harness;

/// <summary>Takes connections on a port of its own, and has each relayed until one side is gone.</summary>
internal sealed class TcpRelay : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource closing = new();
    private readonly Func<TcpClient, TcpClient, CancellationToken, Task> relay;
    private readonly Task accepting;

    /// <param name="relay">
    /// Connects the second to a server, and carries what both say until it returns or throws, which closes both, or
    /// until the token ends it.
    /// </param>
    public TcpRelay(Func<TcpClient, TcpClient, CancellationToken, Task> relay)
    {
        this.relay = relay;
        listener.Start();
        accepting = Accept();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        listener.Stop();
        await accepting;
        closing.Dispose();
    }

    private async Task Accept()
    {
        var connections = new List<Task>();
        try
        {
            while (true) connections.Add(Relay(await listener.AcceptTcpClientAsync(closing.Token)));
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task Relay(TcpClient client)
    {
        using var server = new TcpClient();
        using (client)
        {
            try
            {
                await relay(client, server, closing.Token);
            }
            catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException)
            {
                // one side is gone; leaving closes the other
            }
        }
    }
}
