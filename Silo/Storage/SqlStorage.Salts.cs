namespace Tally.Silo.Storage;

/// <param name="Day">For which events.</param>
/// <param name="Salt">Random bytes.</param>
public sealed record DailySalt(DateOnly Day, byte[] Salt);

/// <summary>The one salt that all silos on a database share.</summary>
public abstract partial class SqlStorage
{
    private readonly string takeSalt = scripts["take_salt"];
    private readonly string destroySalt = scripts["destroy_salt"];

    /// <summary>
    /// The stored salt. If there is none, or one of a day before <paramref name="fresh"/>, it is overwritten with the
    /// fresh one first. If several silos bring a fresh one, all get the first.
    /// </summary>
    public async Task<DailySalt> TakeSalt(DailySalt fresh) =>
        (await Query(takeSalt, row => new DailySalt(row.GetFieldValue<DateOnly>(0), row.GetFieldValue<byte[]>(1)),
            Parameter("day", fresh.Day), Parameter("salt", fresh.Salt)))[0];

    /// <summary>Leaves no salt.</summary>
    public Task DestroySalt() => Query(destroySalt, _ => 0);
}
