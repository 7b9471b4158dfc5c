using System.IO.Compression;

namespace Tally.Silo.Compression;

/// <summary>
/// Decompresses gzip to the end of its source. The framework's stream silently stops at anything after a member that is
/// not another member. Here that is an error, like a member that is damaged or breaks off. All errors say where.
/// </summary>
internal sealed class WholeGzipStream : Stream
{
    private readonly Counted counted;
    private readonly GZipStream members;

    /// <param name="source">One or more gzip members. Disposed with this stream.</param>
    public WholeGzipStream(Stream source)
    {
        counted = new(source);
        members = new(counted, CompressionMode.Decompress);
    }

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position
    {
        get => throw new NotSupportedException(); set =>
        throw new NotSupportedException();
    }

    /// <exception cref="InvalidDataException">The source is not gzip up to its end.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int read;
        try
        {
            read = await members.ReadAsync(buffer, cancellationToken);
        }
        catch (InvalidDataException exception)
        {
            throw Damaged(exception);
        }
        return Checked(read, buffer.Length);
    }

    /// <exception cref="InvalidDataException">The source is not gzip up to its end.</exception>
    public override int Read(Span<byte> buffer)
    {
        int read;
        try
        {
            read = members.Read(buffer);
        }
        catch (InvalidDataException exception)
        {
            throw Damaged(exception);
        }
        return Checked(read, buffer.Length);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush() { }
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) members.Dispose();
        base.Dispose(disposing);
    }

    // The framework's stream reads its source to the end, unless it finds something that is no member.
    private int Checked(int read, int wanted) =>
        read > 0 || wanted == 0 || counted.Ended ? read
        : throw new InvalidDataException($"something else follows the gzip data, at about byte {counted.Bytes}");

    private InvalidDataException Damaged(InvalidDataException exception) => counted.Ended
        ? new InvalidDataException($"the gzip data breaks off, at byte {counted.Bytes}", exception)
        : new InvalidDataException($"the gzip data is damaged, at about byte {counted.Bytes}", exception);

    // Hands out few bytes at a time, so that their count shows where a fault is.
    private sealed class Counted(Stream source) : Stream
    {
        private const int StepBytes = 256;

        private readonly byte[] buffer = new byte[1 << 14];
        private int next, end;

        public long Bytes { get; private set; }
        public bool Ended { get; private set; }

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position
        {
            get => throw new NotSupportedException(); set =>
            throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> into, CancellationToken cancellationToken = default)
        {
            if (next == end) (next, end) = (0, await source.ReadAsync(buffer, cancellationToken));
            return Take(into.Span);
        }

        public override int Read(Span<byte> into)
        {
            if (next == end) (next, end) = (0, source.Read(buffer));
            return Take(into);
        }

        public override Task<int> ReadAsync(byte[] into, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(into.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] into, int offset, int count) => Read(into.AsSpan(offset, count));

        public override void Flush() { }
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] into, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing) source.Dispose();
            base.Dispose(disposing);
        }

        private int Take(Span<byte> into)
        {
            var taken = Math.Min(Math.Min(StepBytes, into.Length), end - next);
            buffer.AsSpan(next, taken).CopyTo(into);
            next += taken;
            Bytes += taken;
            Ended = taken == 0;
            return taken;
        }
    }
}
