using Microsoft.Extensions.Logging;
using Tally.Contracts;
using Tally.Grains.EventLog;
using Tally.Grains.Placement;

namespace Tally.Grains.Peers;

/// <inheritdoc cref="IPeer"/>
/// <remarks>
/// A group's answers are one reply, so the slowest would hold up the rest. Who has to wait longer than a commit takes,
/// because its fingerprint has just moved here or the database is slow, is asked again by a call of its own. Its id
/// makes that safe. Nor is a group waited for when this silo has left: who asks must hear of it before the connection
/// closes.
/// </remarks>
public sealed class Peer(
    GrainId id, Silo silo, ILoggerFactory loggers, ResidentFingerprints residents, Newcomers newcomers,
    FingerprintGrains grains, Ownership ownership, SiloMeters meters) : GrainService(id, silo, loggers), IPeer
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(250);

    public async ValueTask<RecordResult[]> Record(PeerEvents[] events)
    {
        var results = new RecordResult[events.Sum(share => share.Events.Length)];
        Array.Fill(results, new(RecordOutcome.Unknown, 0));
        var waiting = new PendingResults(results, results.Length);
        var place = 0;
        foreach (var share in events)
        {
            var first = place;
            place += share.Events.Length;
            using var span = CommitTraces.StartCall(nameof(Record), share.Trace);
            if ((residents.Find(share.Fingerprint)
                ?? newcomers.TryEnter(share.Fingerprint, share.Events.Length)) is { } here)
                here.RecordAll([.. share.Events.Select((one, at) => new PlacedEvent(one, first + at))], waiting);
            else _ = RecordByGrain(share, first, waiting);
        }
        await waiting.Wait(Patience, ownership.Left);
        return results;
    }

    private async Task RecordByGrain(PeerEvents share, int place, PendingResults waiting)
    {
        var grain = grains.Get(share.Fingerprint);
        RecordResult[] results;
        try
        {
            results = share.Events is [var only] ? [await grain.Record(only)] : await grain.RecordAll(share.Events);
        }
        catch (Exception) // the silo leaves, or the call took too long: who sent it asks again
        {
            results = [.. Enumerable.Repeat(new RecordResult(RecordOutcome.Unknown, 0), share.Events.Length)];
        }
        for (var i = 0; i < results.Length; i++) waiting.Set(place + i, results[i]);
    }

    public async ValueTask<ViewResult[]> View(PeerQuestion[] questions)
    {
        var views = Array.ConvertAll(questions, View);
        try
        {
            await Task.WhenAll(views).WaitAsync(Patience, ownership.Left);
        }
        catch (Exception) // one of them failed, or is late; the others have their answer
        {
        }
        return Array.ConvertAll(views, view => view.IsCompletedSuccessfully ? view.Result
            : new ViewResult(ViewOutcome.SteppedDown, null));
    }

    public ValueTask<SiloFigures> Look() => new(meters.Read());

    private async Task<ViewResult> View(PeerQuestion question)
    {
        using var span = CommitTraces.StartCall(nameof(View), question.Trace);
        return residents.Find(question.Fingerprint) is { } here ? await here.View()
            : await grains.Get(question.Fingerprint).View();
    }
}
