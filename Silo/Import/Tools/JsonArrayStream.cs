namespace Tally.Silo.Import.Tools;

/// <summary>
/// Makes a JSON array lines of JSON, an element each, as it is read: every byte becomes one byte. Anything else stays
/// as it is. So a file that is one array is read with memory for one element.
/// </summary>
/// <param name="source">Text in UTF-8.</param>
/// <param name="takesAny">Whether it may be any array, or only one of Matomo's visits.</param>
internal sealed class JsonArrayStream(Stream source, bool takesAny) : Stream
{
    private const int BeginBytes = 64;

    private byte[] begin = [];
    private int taken;
    private bool begun, isArray, ended, inText, escaped;
    private int depth;

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <exception cref="InvalidDataException">The array breaks off.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!begun) await Begin(cancellationToken);
        var read = TakeBegin(buffer.Span);
        if (read == 0) read = await source.ReadAsync(buffer, cancellationToken);
        if (!isArray) return read;
        if (read == 0 && buffer.Length > 0 && !ended) throw new InvalidDataException("the JSON array breaks off");
        foreach (ref var one in buffer.Span[..read]) one = Map(one);
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override void Flush() { }
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private async ValueTask Begin(CancellationToken cancellationToken)
    {
        begun = true;
        begin = new byte[BeginBytes];
        var read = await source.ReadAtLeastAsync(begin, BeginBytes, throwOnEndOfStream: false, cancellationToken);
        begin = begin[..read];
        isArray = begin.AsSpan().TrimStart(" \t\r\n"u8) is [(byte)'[', ..]
            && (takesAny || begin.AsSpan().IndexOf("\"idSite\""u8) >= 0);
    }

    private int TakeBegin(Span<byte> buffer)
    {
        var length = Math.Min(buffer.Length, begin.Length - taken);
        begin.AsSpan(taken, length).CopyTo(buffer);
        taken += length;
        return length;
    }

    private byte Map(byte one)
    {
        if (ended) return one;
        if (inText)
        {
            if (escaped) escaped = false;
            else if (one == '\\') escaped = true;
            else if (one == '"') inText = false;
            return WithoutLineEnd(one);
        }
        switch (one)
        {
            case (byte)'"':
                inText = true;
                return one;
            case (byte)'[' or (byte)'{':
                return depth++ == 0 ? (byte)' ' : one;
            case (byte)']' or (byte)'}':
                ended = --depth == 0;
                return ended && one == ']' ? (byte)'\n' : one;
            case (byte)',' when depth == 1:
                return (byte)'\n';
            default:
                return WithoutLineEnd(one);
        }
    }

    private static byte WithoutLineEnd(byte one) => one is (byte)'\n' or (byte)'\r' ? (byte)' ' : one;
}
