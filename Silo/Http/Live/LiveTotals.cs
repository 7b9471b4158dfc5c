namespace Tally.Silo.Http.Live;

/// <summary>
/// The first message of those who ask for the same, made once for all who come while somebody still takes it. What was
/// added since it was made follows it. But for <see cref="Text"/>, its callers hold the lock of the streams.
/// </summary>
/// <param name="make">Makes it; not under that lock.</param>
/// <param name="held">Where its bytes are counted.</param>
internal sealed class LiveTotals(Func<LiveText> make, HeldBytes held)
{
    private readonly List<LiveText> since = [];
    private int sinceBytes;
    private int takers;

    /// <summary>Null where readers hold too many bytes for it.</summary>
    public Task<LiveText?> Text { get; } =
        Task.Run(() => make() is var text && held.TryHold(text.Length) ? text : null);

    /// <summary>
    /// It is shorter than what was added since: the next reader is better off with new ones. So a reader that takes it
    /// slowly has all of this in its queue, and is cut off before many of these are kept for such readers.
    /// </summary>
    public bool IsOld => Text is { IsCompletedSuccessfully: true, Result: { } text } && sinceBytes > text.Length;

    public void Add(LiveText added)
    {
        added.Hold(held);
        since.Add(added);
        sinceBytes += added.Length;
    }

    /// <returns>What is to be told behind it.</returns>
    public LiveText[] Take()
    {
        takers++;
        return [.. since];
    }

    /// <summary>For a taker that has it, or has gone.</summary>
    /// <returns>Whether it was the last one.</returns>
    public bool Taken()
    {
        if (--takers > 0) return false;
        since.ForEach(added => added.LetGo(held));
        if (Text is { IsCompletedSuccessfully: true, Result: { } text }) held.Release(text.Length);
        return true;
    }
}
