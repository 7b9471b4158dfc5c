namespace Tally.Bench.Client;

/// <summary>Finds where an HTTP answer ends, and its status, as far as the servers here need it.</summary>
internal static class AnswerFrame
{
    private static ReadOnlySpan<byte> ContentLength => "\r\nContent-Length: "u8;

    /// <summary>The status of a complete answer; null while more of it is to come.</summary>
    public static int? Status(ReadOnlySpan<byte> answer)
    {
        var head = answer.IndexOf("\r\n\r\n"u8);
        if (head < 0) return null;
        var body = answer[(head + 4)..];
        var at = answer[..head].IndexOf(ContentLength);
        var whole = at < 0 ? body.EndsWith("0\r\n\r\n"u8) // chunked
            : body.Length >= Number(answer[(at + ContentLength.Length)..]);
        return whole ? Number(answer["HTTP/1.1 ".Length..]) : null;
    }

    private static int Number(ReadOnlySpan<byte> text)
    {
        var number = 0;
        foreach (var digit in text)
        {
            if (digit is < (byte)'0' or > (byte)'9') break;
            number = number * 10 + digit - '0';
        }
        return number;
    }
}
