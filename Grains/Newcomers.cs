using Tally.Grains.Placement;

namespace Tally.Grains;

/// <summary>
/// Takes a new fingerprint's first events into memory without an activation, which would cost as much as all the rest:
/// most visitors have no second event. Whatever is sent or asked next goes to its grain, whose activation joins it.
/// </summary>
/// <remarks>
/// It is claimed, opened, fenced and lost as one that an activation has loaded, so nobody can tell the difference.
/// docs/architecture.md has the reasons.
/// </remarks>
public sealed class Newcomers(FingerprintServices services, FingerprintGrains grains)
{
    /// <summary>
    /// A fingerprint that nobody has ever seen, to be given its first events, once. Null where its grain has to be
    /// called: somebody may have seen it, it is here already, or this silo does not own it or must still wait for it.
    /// </summary>
    /// <param name="fingerprint">What it is called.</param>
    /// <param name="events">How many it will be given.</param>
    public Fingerprint? TryEnter(string fingerprint, int events)
    {
        if (events >= services.Limits.SnapshotOnDeactivationEventsMin) return null; // only an activation writes one
        var point = RendezvousHash.Point(grains.Id(fingerprint));
        if (services.Ownership.TryClaim(point) is not { } claimed
            || services.History.TryBegin(fingerprint) is not { } history) return null;
        var place = new Resident(services.Residents);
        var here = new Fingerprint(fingerprint, point, history, services, place);
        if (!services.Ownership.TryOpen(place, here, claimed)) return null;
        services.Residents.Entered(place);
        return here;
    }
}
