using System.Collections.Concurrent;
using System.Diagnostics;
using Orleans.Runtime.Services;
using Tally.Contracts;
using Tally.Grains.Placement;

namespace Tally.Grains.Peers;

/// <summary>The other silos, by what they own.</summary>
public sealed class Peers(PeerClient client, Ownership ownership, Limits limits)
{
    private readonly ConcurrentDictionary<SiloAddress, RemotePeer> peers = new();

    /// <summary>The silo that owns a fingerprint; null where it is this one, or none is known.</summary>
    public RemotePeer? Owner(GrainId fingerprint)
    {
        if (ownership.RemoteOwner(fingerprint) is not { } silo) return null;
        if (peers.TryGetValue(silo, out var known)) return known;
        var added = peers.GetOrAdd(silo, static (silo, with) =>
            new(with.client.Peer(silo), silo.Endpoint.ToString(), with.limits), (client, limits));
        if (!ownership.IsActive(silo)) GiveUpGone(); // it went meanwhile, and this one was not there yet
        return added;
    }

    /// <summary>Waiting for each, by the weight of their events.</summary>
    public IEnumerable<(string Name, int QueuedWeight)> Queues =>
        peers.Values.Select(peer => (peer.Name, peer.QueuedWeight));

    /// <summary>
    /// Gives up what waits for silos that are not active any more. Orleans would let it wait for its deadline.
    /// </summary>
    public void GiveUpGone()
    {
        foreach (var (silo, peer) in peers)
            if (!ownership.IsActive(silo) && peers.TryRemove(silo, out _)) peer.GiveUp();
    }
}

/// <summary>Another silo.</summary>
public sealed class RemotePeer
{
    private readonly PeerQueue<PeerEvents, RecordResult[]> events;
    private readonly PeerQueue<PeerQuestion, ViewResult> questions;
    private readonly CancellationTokenSource gone = new();

    internal RemotePeer(IPeer peer, string name, Limits limits)
    {
        Name = name;
        events = new(name, limits, Weigh, async shares =>
        {
            var (results, from) = (await peer.Record(shares), 0);
            TallyMetrics.EventsForwarded.Add(results.Length);
            return Array.ConvertAll(shares, share => results[from..(from += share.Events.Length)]);
        }, share => ForEach(share.Events, RecordOutcome.Unknown), gone.Token);
        questions = new(name, limits, _ => 1, peer.View, _ => new(ViewOutcome.SteppedDown, null), gone.Token);
    }

    public string Name { get; }

    /// <summary>Cancelled when the silo is not active any more.</summary>
    public CancellationToken Gone => gone.Token;

    internal int QueuedWeight => events.QueuedWeight + questions.QueuedWeight;

    internal void GiveUp() => gone.Cancel();

    /// <inheritdoc cref="IPeer.Record"/>
    public Task<RecordResult[]> Record(string fingerprint, Event[] those) =>
        events.TryAsk(new(fingerprint, those, Trace())) ?? Task.FromResult(ForEach(those, RecordOutcome.Overloaded));

    /// <inheritdoc cref="IPeer.View"/>
    public Task<ViewResult> View(string fingerprint) =>
        questions.TryAsk(new(fingerprint, Trace())) ?? Task.FromResult(new ViewResult(ViewOutcome.Unavailable, null));

    private static int Weigh(PeerEvents share) => share.Events.Sum(one => one.Weight);

    private static RecordResult[] ForEach(Event[] those, RecordOutcome outcome) =>
        Array.ConvertAll(those, _ => new RecordResult(outcome, 0));

    private static string? Trace() => Activity.Current is { Recorded: true } current ? current.Id : null;
}

/// <summary>Finds the <see cref="IPeer"/> of a silo.</summary>
public sealed class PeerClient(IServiceProvider services) : GrainServiceClient<IPeer>(services)
{
    public IPeer Peer(SiloAddress silo) => GetGrainService(silo);
}
