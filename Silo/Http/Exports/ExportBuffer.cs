using System.Buffers;

namespace Tally.Silo.Http.Exports;

/// <summary>Rows that are not sent yet, as a buffer writer and a write-only stream. Its memory is reused.</summary>
internal sealed class ExportBuffer : Stream, IBufferWriter<byte>
{
    private readonly ArrayBufferWriter<byte> bytes = new();

    public int Size => bytes.WrittenCount;

    /// <summary>Sends everything.</summary>
    public async Task SendTo(Stream target, CancellationToken cancellation)
    {
        if (Size == 0) return; // nothing, compressed, would be an answer that cannot be decoded
        await target.WriteAsync(bytes.WrittenMemory, cancellation);
        await target.FlushAsync(cancellation);
        bytes.ResetWrittenCount();
    }

    public void Advance(int count) => bytes.Advance(count);
    public Memory<byte> GetMemory(int sizeHint = 0) => bytes.GetMemory(sizeHint);
    public Span<byte> GetSpan(int sizeHint = 0) => bytes.GetSpan(sizeHint);

    public override void Write(ReadOnlySpan<byte> buffer) => bytes.Write(buffer);
    public override void Write(byte[] buffer, int offset, int count) => bytes.Write(buffer.AsSpan(offset, count));
    public override void WriteByte(byte value) => bytes.Write([value]);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        bytes.Write(buffer.Span);
        return ValueTask.CompletedTask;
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        Write(buffer, offset, count);
        return Task.CompletedTask;
    }

    public override bool CanRead => false;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => throw new NotSupportedException();
    public override long Position
    {
        get => throw new NotSupportedException(); set =>
        throw new NotSupportedException();
    }
    public override void Flush() { }
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
}
