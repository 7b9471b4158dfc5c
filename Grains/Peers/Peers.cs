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
    public RemotePeer? Owner(GrainId fingerprint) =>
        ownership.RemoteOwner(fingerprint) is not { } silo ? null
        : peers.TryGetValue(silo, out var peer) ? peer : Meet(silo);

    /// <summary>Waiting for each, by the weight of their events.</summary>
    public IEnumerable<(string Name, int QueuedWeight)> Queues =>
        peers.Values.Select(peer => (peer.Name, peer.QueuedWeight));

    private RemotePeer Meet(SiloAddress silo)
    {
        foreach (var (other, _) in peers)
            if (!ownership.IsActive(other)) peers.TryRemove(other, out _); // what waits there still gets its answer
        return peers.GetOrAdd(silo, _ => new(client.Peer(silo), silo.Endpoint.ToString(), limits));
    }
}

/// <summary>Another silo.</summary>
public sealed class RemotePeer
{
    private readonly PeerQueue<PeerEvents, RecordResult[]> events;
    private readonly PeerQueue<PeerQuestion, ViewResult> questions;

    internal RemotePeer(IPeer peer, string name, Limits limits)
    {
        Name = name;
        events = new(name, limits, Weigh, async shares =>
        {
            var (results, from) = (await peer.Record(shares), 0);
            return Array.ConvertAll(shares, share => results[from..(from += share.Events.Length)]);
        }, share => ForEach(share.Events, RecordOutcome.Unknown));
        questions = new(name, limits, _ => 1, peer.View, _ => new(ViewOutcome.SteppedDown, null));
    }

    public string Name { get; }

    internal int QueuedWeight => events.QueuedWeight + questions.QueuedWeight;

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
