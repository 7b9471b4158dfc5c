using System.Net;
using System.Net.Sockets;

namespace Tally.Silo.Webhooks;

/// <summary>The name leads to no address that a webhook may reach.</summary>
internal sealed class AddressRefusedException() : IOException("No address of the receiver may be reached.");

/// <summary>The name leads to no address at all.</summary>
internal sealed class NameUnknownException(Exception cause)
    : IOException("The receiver's name leads to no address.", cause);

/// <summary>
/// Opens connections to receivers. It connects to the very address that it has checked: were the name resolved again,
/// it could lead elsewhere by then.
/// </summary>
internal sealed class GuardedConnections(AddressGuard guard)
{
    // Of one name. A name with hundreds would only make a try longer.
    private const int AddressesMax = 8;

    // For an address that is not the last one.
    private static readonly TimeSpan AddressTimeMax = TimeSpan.FromSeconds(3);

    /// <summary>The addresses of a name that may be reached, in the resolver's order.</summary>
    /// <exception cref="AddressRefusedException">There are only others.</exception>
    /// <exception cref="NameUnknownException">There are none.</exception>
    public async Task<IReadOnlyList<IPAddress>> Resolve(string host, CancellationToken cancellation)
    {
        IPAddress[] all;
        try
        {
            all = await Dns.GetHostAddressesAsync(host, cancellation);
        }
        catch (Exception exception) when (exception is SocketException or ArgumentException)
        {
            throw new NameUnknownException(exception);
        }
        IPAddress[] open = [.. all.Where(guard.Allows).Take(AddressesMax)];
        return open.Length > 0 ? open : throw new AddressRefusedException();
    }

    public async ValueTask<Stream> Open(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        var addresses = await Resolve(host, cancellation);
        foreach (var address in addresses.SkipLast(1))
            if (await TryConnect(new(address, port), cancellation) is { } stream) return stream;
        return await Connect(new(addresses[^1], port), cancellation);
    }

    private static async Task<Stream?> TryConnect(IPEndPoint to, CancellationToken cancellation)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        ending.CancelAfter(AddressTimeMax);
        try
        {
            return await Connect(to, ending.Token);
        }
        catch (Exception exception) when (exception is SocketException
            || exception is OperationCanceledException && !cancellation.IsCancellationRequested)
        {
            return null;
        }
    }

    private static async Task<Stream> Connect(IPEndPoint to, CancellationToken cancellation)
    {
        var socket = new Socket(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(to, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
