using Tally.Grains.Peers;

namespace Tally.Silo.Http.Cluster;

/// <summary>The silos that serve the database, and the database.</summary>
/// <param name="Silos">By state, then by name.</param>
/// <param name="Owner">Where the fingerprint is that was asked for.</param>
public sealed record ClusterAnswer(IReadOnlyList<SiloAnswer> Silos, DatabaseAnswer Database, SiloName? Owner);

/// <param name="Name">As its flags say, or its host's; silos may have the same.</param>
/// <param name="Address">For other silos.</param>
public sealed record SiloName(string Name, string Address);

/// <param name="Name">As its flags say, or its host's; silos may have the same.</param>
/// <param name="Address">For other silos.</param>
/// <param name="State">joining, active, leaving or dead, as the silos agree.</param>
/// <param name="Started">UTC.</param>
/// <param name="LastSeen">UTC; of a dead one.</param>
/// <param name="Answers">Whether an active one told its figures in time.</param>
/// <param name="Figures">What it tells of itself.</param>
public sealed record SiloAnswer(string Name, string Address, string State, DateTime Started, DateTime? LastSeen,
    bool? Answers, SiloFigures? Figures);

/// <param name="Kind">Postgres or SQLite.</param>
/// <param name="Version">Of its software.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Events">In the log, as the counters say.</param>
public sealed record DatabaseAnswer(string Kind, string Version, long Bytes, long Events);
