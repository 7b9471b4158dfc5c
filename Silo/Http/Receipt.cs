namespace Tally.Silo.Http;

/// <summary>What an acknowledged post answers.</summary>
/// <param name="Id">The event's id as its client wrote it, or the one it got.</param>
/// <param name="Fingerprint">Whose event it is.</param>
/// <param name="Sequence">Its place in the fingerprint's history, from 1.</param>
/// <param name="Duplicate">True where the id was recorded before; the rest is the first receipt.</param>
public sealed record Receipt(string Id, string Fingerprint, long Sequence, bool Duplicate);
