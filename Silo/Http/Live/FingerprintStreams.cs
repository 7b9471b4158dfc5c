using Tally.Grains.EventLog;

namespace Tally.Silo.Http.Live;

/// <summary>
/// A fingerprint's events as they are recorded, without a gap or a repeat. A reader that begins further back reads the
/// log until it has caught up with the feed.
/// </summary>
internal sealed class FingerprintStreams(LiveReaders readers, FingerprintFeeds feeds, LiveLog log)
{
    /// <param name="context">Whose answer it is.</param>
    /// <param name="fingerprint">Whose events.</param>
    /// <param name="after">The last event that the reader knows; null for from now on.</param>
    public Task<IResult> Run(HttpContext context, string fingerprint, long? after) =>
        readers.Run(context, reader => Tell(reader, fingerprint, after));

    private async Task<Refusal?> Tell(LiveReader reader, string fingerprint, long? after)
    {
        // Before the head is read: an erasure from then on is told.
        using var subscription = feeds.Subscribe(fingerprint, reader);
        try
        {
            var head = await log.ReadHead(fingerprint);
            subscription.Begin(head);
            var sequence = after ?? head.Sequence;
            var isErased = sequence > head.Sequence && await log.FindEvent(fingerprint, sequence) is null;
            await reader.Begin();
            if (isErased) sequence = await TellErased(reader);
            await reader.WriteHanded(await CatchUp(reader, subscription, fingerprint, sequence));
        }
        catch (EventLogUnavailableException)
        {
            if (!reader.HasBegun) return Refusal.QuestionNotAnswered();
            reader.End(LiveReader.Unavailable);
        }
        return null;
    }

    private async Task<long> CatchUp(LiveReader reader, FingerprintFeed.Subscription subscription, string fingerprint,
        long sequence)
    {
        while (reader.IsOpen && subscription.TryGoLive(sequence) is { } target)
        {
            if (target == FingerprintFeed.Subscription.Erased)
            {
                sequence = await TellErased(reader);
                continue;
            }
            var page = await log.ReadPage(fingerprint, sequence);
            if (page.Count == 0)
            {
                sequence = target; // these rows have left the log meanwhile
                continue;
            }
            var text = LiveText.From(page[0].Sequence, [.. page.Select(recorded => recorded.Event)]);
            if (readers.Held.IsFull)
            {
                reader.End(LiveReader.TooSlow);
                return sequence;
            }
            text.Hold(readers.Held);
            try
            {
                await reader.Write(text.After(sequence));
            }
            finally
            {
                text.LetGo(readers.Held);
            }
            sequence = text.PositionAfter(sequence);
        }
        return sequence;
    }

    private static async Task<long> TellErased(LiveReader reader)
    {
        await reader.Write(LiveText.Erased.After(0));
        return 0;
    }
}
