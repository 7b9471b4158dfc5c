namespace Tally.Silo.Storage;

/// <summary>A view of one product's counts for people without a key.</summary>
/// <param name="Created">UTC: when its link was made.</param>
public sealed record Share(string Name, string Product, DateTime Created);

/// <summary>Shared views. A link's token is nowhere kept, only its hash.</summary>
public abstract partial class SqlStorage
{
    private readonly string putShare = scripts["put_share"];
    private readonly string readShares = scripts["read_shares"];
    private readonly string deleteShare = scripts["delete_share"];
    private readonly string findShare = scripts["find_share"];

    /// <summary>Keeps a shared view, instead of another one of the same name, whose link ends.</summary>
    /// <returns>False if there are as many as there may be.</returns>
    public async Task<bool> PutShare(Share share, byte[] hash, int sharesMax) =>
        (await Query(putShare, _ => true, Parameter("name", share.Name), Parameter("product", share.Product),
            Parameter("hash", hash), Time("created", share.Created), Parameter("shares_max", sharesMax))).Count > 0;

    /// <summary>By name.</summary>
    public async Task<IReadOnlyList<Share>> ReadShares() => await Query(readShares,
        row => new Share(row.GetString(0), row.GetString(1), ReadTime(row, 2)));

    /// <returns>What was removed, or null.</returns>
    public async Task<Share?> DeleteShare(string name) => (await Query(deleteShare,
        row => new Share(name, row.GetString(0), ReadTime(row, 1)), Parameter("name", name))).FirstOrDefault();

    /// <returns>Null if no link has this hash.</returns>
    public async Task<Share?> FindShare(byte[] hash) => (await Query(findShare,
        row => new Share(row.GetString(0), row.GetString(1), ReadTime(row, 2)), Parameter("hash", hash)))
        .FirstOrDefault();
}
