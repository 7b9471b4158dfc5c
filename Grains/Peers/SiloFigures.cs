namespace Tally.Grains.Peers;

/// <summary>What a silo says of itself.</summary>
/// <param name="Version">Of the program.</param>
/// <param name="Fingerprints">In its memory.</param>
/// <param name="EventsPerSecond">Recorded, over the last ten seconds.</param>
/// <param name="CommitP50Milliseconds">The median of the last minute's transactions; null if there were none.</param>
/// <param name="CommitP99Milliseconds">All but one in a hundred of them took at most as long.</param>
/// <param name="CommitQueue">Events waiting for a transaction.</param>
/// <param name="RemoteShare">Of the events that it took since its start, the part that it had for other silos; null if
/// it took none.</param>
/// <param name="Repeated">Events since its start that were there already.</param>
/// <param name="Refused">Events that it refused since its start, by reason.</param>
/// <param name="Pools">Its connections to the database; none with SQLite.</param>
[GenerateSerializer, Immutable, Alias("tally.SiloFigures")]
public sealed record SiloFigures(
    [property: Id(0)] string Version,
    [property: Id(1)] int Fingerprints,
    [property: Id(2)] double EventsPerSecond,
    [property: Id(3)] double? CommitP50Milliseconds,
    [property: Id(4)] double? CommitP99Milliseconds,
    [property: Id(5)] int CommitQueue,
    [property: Id(6)] double? RemoteShare,
    [property: Id(7)] long Repeated,
    [property: Id(8)] Dictionary<string, long> Refused,
    [property: Id(9)] PoolUse[] Pools);

/// <param name="Name">What it is for.</param>
/// <param name="Used">Connections at work.</param>
/// <param name="Idle">Connections that wait for work.</param>
/// <param name="Max">How many there may be.</param>
[GenerateSerializer, Immutable, Alias("tally.PoolUse")]
public readonly record struct PoolUse(
    [property: Id(0)] string Name,
    [property: Id(1)] int Used,
    [property: Id(2)] int Idle,
    [property: Id(3)] int Max);
