using Tally.Contracts;
using Tally.Grains.EventLog;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Live;

/// <summary>
/// All fingerprints' events as they are recorded. A reader that comes back reads the feed from where it was until
/// it has caught up with the others.
/// </summary>
internal sealed class EventStreams(LiveReaders readers, EventFeed feed, LiveLog log, Limits limits)
{
    /// <param name="context">Whose answer it is.</param>
    /// <param name="filter">Which events.</param>
    /// <param name="after">Where the reader was; null for from now on.</param>
    public Task<IResult> Run(HttpContext context, FeedFilter filter, FeedPosition? after) =>
        readers.Run(context, reader => Tell(reader, filter, after));

    private async Task<Refusal?> Tell(LiveReader reader, FeedFilter filter, FeedPosition? after)
    {
        try
        {
            using var subscription = await feed.Subscribe(reader, filter);
            var position = after ?? await feed.Begin();
            await reader.Begin();
            await reader.Write(LiveText.At(position).After(0));
            await CatchUp(reader, subscription, filter, position);
            await reader.WriteHanded();
        }
        catch (EventLogUnavailableException)
        {
            if (!reader.HasBegun) return Refusal.QuestionNotAnswered();
            reader.End(LiveReader.Unavailable);
        }
        return null;
    }

    private async Task CatchUp(LiveReader reader, EventFeed.Subscription subscription, FeedFilter filter,
        FeedPosition position)
    {
        while (reader.IsOpen && subscription.TryGoLive(position) is { } target)
        {
            var isAhead = position.IsBehind(target); // another silo has told it more
            var page = await log.ReadFeed(position, isAhead ? position : target);
            if (isAhead && page is not null)
            {
                await Task.Delay(limits.LiveTickMilliseconds, reader.Gone);
                continue;
            }
            var text = page is null ? LiveText.Missed(target)
                : page.Count == 0 ? LiveText.At(target)
                : LiveText.From(page, filter);
            position = page is { Count: > 0 } ? page[^1].Position : target;
            if (readers.Held.IsFull)
            {
                reader.End(LiveReader.TooSlow);
                return;
            }
            text.Hold(readers.Held);
            try
            {
                await reader.Write(text.After(0));
            }
            finally
            {
                text.LetGo(readers.Held);
            }
        }
    }
}
