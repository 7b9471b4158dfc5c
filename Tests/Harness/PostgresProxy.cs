using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Npgsql;

namespace Tally.Tests.Harness;

/// <summary>Where a connection is cut while a batch of statements runs. The batch's end commits it.</summary>
public enum CutAt
{
    /// <summary>The statements never reach the server.</summary>
    Statement,
    /// <summary>The end never reaches the server.</summary>
    End,
    /// <summary>
    /// The end reaches the server and both sides are cut at once, so the server may still be committing.
    /// </summary>
    CommitUnderWay,
    /// <summary>The batch is committed, but the server's reply never reaches the client.</summary>
    CommitReply,
    /// <summary>The client has the reply, then the connection breaks.</summary>
    AfterCommit,
}

/// <summary>
/// Stands between a program and Postgres, and cuts the connection of one chosen batch at one chosen message.
/// </summary>
public sealed class PostgresProxy : IAsyncDisposable
{
    private readonly NpgsqlConnectionStringBuilder server;
    private readonly TcpRelay connections;
    private Plan? plan;

    private sealed record Plan(CutAt At, byte[] Marker);

    private PostgresProxy(NpgsqlConnectionStringBuilder server)
    {
        this.server = server;
        connections = new(Relay);
    }

    /// <summary>How many batches it has cut.</summary>
    public int Cuts { get; private set; }

    public static PostgresProxy Before(TestDatabase database) => new(new(database.Url));

    /// <summary>The -dbUrl of the same database through this proxy.</summary>
    public string Url => new NpgsqlConnectionStringBuilder(server.ConnectionString)
    {
        Host = "127.0.0.1",
        Port = connections.Port,
        SslMode = SslMode.Disable, // the proxy must be able to read the messages
        GssEncryptionMode = GssEncryptionMode.Disable,
    }.ConnectionString;

    /// <summary>Cuts the next batch that sends this text, once.</summary>
    public void CutNext(CutAt at, string marker) => plan = new(at, Encoding.UTF8.GetBytes(marker));

    public ValueTask DisposeAsync() => connections.DisposeAsync();

    private async Task Relay(TcpClient client, TcpClient upstream, CancellationToken closing)
    {
        await upstream.ConnectAsync(server.Host!, server.Port, closing);
        var connection = new Connection(this, client.GetStream(), upstream.GetStream(), closing);
        client.NoDelay = upstream.NoDelay = true;
        await Task.WhenAny(connection.FromClient(), connection.FromServer());
    }

    // A frontend message after the first has a type byte, then a length that includes itself.
    private sealed class Connection(PostgresProxy proxy, NetworkStream client, NetworkStream server,
        CancellationToken closing)
    {
        private Plan? mine;
        private bool cutOnReply;
        private volatile bool mute;

        public async Task FromClient()
        {
            await server.WriteAsync(await Read(typed: false), closing);
            while (true)
            {
                var message = await Read(typed: true);
                if (mine is null && proxy.plan is { } plan && message.AsSpan().IndexOf(plan.Marker) >= 0)
                {
                    (mine, proxy.plan) = (plan, null);
                    if (Cut(CutAt.Statement)) return;
                }
                var ends = message[0] is (byte)'S' or (byte)'Q'; // Sync, or a simple query, which is a whole batch
                if (ends && Cut(CutAt.End)) return;
                cutOnReply |= ends && mine is { At: CutAt.CommitReply or CutAt.AfterCommit };
                // Before the end is sent: the reply may overtake whatever this method does next.
                mute = ends && Cut(CutAt.CommitUnderWay);
                await server.WriteAsync(message, closing);
                if (mute) return;
            }
        }

        // The server sends nothing of a batch before its end, so what comes then is the commit's reply.
        public async Task FromServer()
        {
            var buffer = new byte[64 * 1024];
            while (await server.ReadAsync(buffer, closing) is > 0 and var length)
            {
                if (mute) return;
                if (cutOnReply && Cut(CutAt.CommitReply)) return;
                await client.WriteAsync(buffer.AsMemory(0, length), closing);
                if (cutOnReply && Cut(CutAt.AfterCommit)) return;
            }
        }

        private bool Cut(CutAt here)
        {
            if (mine?.At != here) return false;
            proxy.Cuts++;
            return true;
        }

        private async Task<byte[]> Read(bool typed)
        {
            var head = new byte[typed ? 5 : 4];
            await client.ReadExactlyAsync(head, closing);
            var length = BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(head.Length - 4)) - 4;
            var message = new byte[head.Length + length];
            head.CopyTo(message, 0);
            await client.ReadExactlyAsync(message.AsMemory(head.Length), closing);
            return message;
        }
    }
}
