using System.Net;
using System.Net.Sockets;

namespace Tally.Tests.Harness;

/// <summary>
/// Stands before a service and holds back what it answers after so many bytes: whoever asks is in the middle, however
/// fast both are. <see cref="Cut"/> ends the connections, and lets later ones through.
/// </summary>
public sealed class HoldingProxy : IAsyncDisposable
{
    private readonly CancellationTokenSource cut = new();
    private readonly int port;
    private readonly int bytes;
    private readonly TcpRelay connections;

    /// <param name="port">The service's.</param>
    /// <param name="bytes">How many pass over a connection; what is read together passes whole.</param>
    public HoldingProxy(int port, int bytes)
    {
        (this.port, this.bytes) = (port, bytes);
        connections = new(Relay);
    }

    public Uri Url => new($"http://127.0.0.1:{connections.Port}");

    public Task Cut() => cut.CancelAsync();

    public async ValueTask DisposeAsync()
    {
        await connections.DisposeAsync();
        cut.Dispose();
    }

    private async Task Relay(TcpClient client, TcpClient service, CancellationToken closing)
    {
        var holds = !cut.IsCancellationRequested;
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(closing,
            holds ? cut.Token : CancellationToken.None);
        await service.ConnectAsync(IPAddress.Loopback, port, ending.Token);
        await Task.WhenAny(client.GetStream().CopyToAsync(service.GetStream(), ending.Token),
            Answer(service.GetStream(), client.GetStream(), holds, ending.Token));
    }

    private async Task Answer(NetworkStream service, NetworkStream client, bool holds, CancellationToken ending)
    {
        var buffer = new byte[1 << 14];
        for (int passed = 0, read; (read = await service.ReadAsync(buffer, ending)) > 0; passed += read)
        {
            if (holds && passed >= bytes) await Task.Delay(Timeout.Infinite, ending);
            await client.WriteAsync(buffer.AsMemory(0, read), ending);
        }
    }
}
