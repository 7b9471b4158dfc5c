using System.Buffers.Binary;
using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Tally.Bench.Client;

/// <summary>
/// Linux's epoll. One thread waits for the answers on all connections and, to the microsecond, for the next due
/// request. .NET's asynchronous sockets would wake a thread of the pool for each answer, on processors that the
/// measured server needs.
/// </summary>
internal sealed class ReadyQueue : IDisposable
{
    private const int ConnectionsAtOnce = 256;
    private const int AddToQueue = 1; // EPOLL_CTL_ADD
    private const int Readable = 1; // EPOLLIN
    private const int Interrupted = 4; // EINTR

    // struct epoll_event: four bytes of flags and eight of the caller's, packed only on x86-64.
    private static readonly int DataAt = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;
    private static readonly int EventBytes = DataAt + 8;

    private readonly int queue = Checked(epoll_create1(0));
    private readonly byte[] events = new byte[ConnectionsAtOnce * EventBytes];

    /// <param name="number">What <see cref="Ready"/> calls this socket.</param>
    public void Add(Socket socket, int number)
    {
        var entry = new byte[EventBytes];
        BinaryPrimitives.WriteInt32LittleEndian(entry, Readable);
        BinaryPrimitives.WriteInt32LittleEndian(entry.AsSpan(DataAt), number);
        Checked(epoll_ctl(queue, AddToQueue, (int)socket.Handle, entry));
    }

    /// <summary>Waits until there is something to read, at most this many ticks of <see cref="Stopwatch"/>.</summary>
    /// <returns>How many sockets are ready.</returns>
    public int Wait(long ticks)
    {
        var (seconds, rest) = Math.DivRem(Math.Max(ticks, 0), Stopwatch.Frequency);
        var timeout = new Timeout(seconds, rest * 1_000_000_000 / Stopwatch.Frequency);
        var count = epoll_pwait2(queue, events, ConnectionsAtOnce, ref timeout, 0);
        return count < 0 && Marshal.GetLastPInvokeError() == Interrupted ? 0 : Checked(count);
    }

    public int Ready(int index) => BinaryPrimitives.ReadInt32LittleEndian(events.AsSpan(index * EventBytes + DataAt));

    public void Dispose() => _ = close(queue);

    private static int Checked(int result) => result >= 0
        ? result
        : throw new InvalidOperationException(
            $"epoll (Linux 5.11 or newer) failed with {Marshal.GetLastPInvokeError()}.");

    private record struct Timeout(long Seconds, long Nanoseconds);

#pragma warning disable SYSLIB1054 // source-generated marshalling would need unsafe code
    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int epoll_create1(int flags);

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int epoll_ctl(int queue, int operation, int descriptor, byte[] entry);

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int epoll_pwait2(int queue, byte[] events, int count, ref Timeout timeout, nint signals);

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int close(int descriptor);
#pragma warning restore SYSLIB1054
}
