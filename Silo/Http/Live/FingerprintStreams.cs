using Tally.Contracts;
using Tally.Grains.EventLog;

namespace Tally.Silo.Http.Live;

/// <summary>
/// A fingerprint's events as they are recorded, without a gap or a repeat. A reader that begins further back reads the log until
/// it meets the follower.
/// </summary>
internal sealed class FingerprintStreams(LiveReaders readers, Followers followers, FrontEnd frontEnd, LiveLog log)
{
    /// <param name="context">Whose answer it is.</param>
    /// <param name="fingerprint">Whose events.</param>
    /// <param name="after">The last event that the reader knows; null for from now on.</param>
    public Task<IResult> Run(HttpContext context, string fingerprint, long? after) =>
        readers.Run(context, reader => Tell(reader, fingerprint, after));

    private async Task<Refusal?> Tell(LiveReader reader, string fingerprint, long? after)
    {
        // Before the head is asked for: of an erasure from then on it is told.
        using var place = followers.Join(fingerprint, reader);
        var news = await frontEnd.News(fingerprint, known: null);
        if (news.Outcome is not (ViewOutcome.Known or ViewOutcome.Unknown)) return Refusal.QuestionNotAnswered();
        place.Begin(news.Head);
        var sequence = after ?? news.Head.Sequence;
        try
        {
            var erased = sequence > news.Head.Sequence && !await log.Holds(fingerprint, new(sequence, Guid.Empty));
            await reader.Begin();
            if (erased) sequence = await TellErased(reader);
            await reader.WriteHanded(await CatchUp(reader, place, fingerprint, sequence));
        }
        catch (EventLogUnavailableException)
        {
            reader.End(LiveReader.Unavailable);
        }
        return null;
    }

    private async Task<long> CatchUp(LiveReader reader, Follower.Place place, string fingerprint, long sequence)
    {
        while (reader.IsOpen && place.Meet(sequence) is { } target)
        {
            if (target == Follower.Erased)
            {
                sequence = await TellErased(reader);
                continue;
            }
            var page = await log.Read(fingerprint, sequence);
            if (page.Count == 0)
            {
                sequence = target; // these rows have left the log meanwhile
                continue;
            }
            var text = LiveText.Of(page[0].Sequence, [.. page.Select(recorded => recorded.Event)]);
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
