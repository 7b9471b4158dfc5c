using System.Data.Common;
using Tally.Grains;
using Tally.Grains.Placement;
using Tally.Silo.Storage.Postgres;

namespace Tally.Silo.Hosting;

/// <summary>
/// Proves from the membership table what this silo owns. Another silo answers for a fingerprint no earlier than
/// <see cref="Ownership.Takeover"/> after the table gave it to that one. So a read that found this silo active, in a
/// version that it has followed, is proof for that long, counted from the read's beginning, even if this process was
/// paused meanwhile.
/// </summary>
internal sealed partial class MembershipLiveness(
    IMembershipTable table, IClusterMembershipService membership, Ownership ownership, ILocalSiloDetails silo,
    TimeProvider clock, ILogger<MembershipLiveness> logger)
        : ISiloLiveness
{
    // Below the takeover time by far more than the clocks of two machines can differ in rate.
    private static readonly TimeSpan Worth = Ownership.Takeover * 0.8;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly Lock gate = new();
    private readonly LogThrottle throttle = new();
    private Task<long?>? reading;
    private long provenAt;
    private long? proven; // the version
    private bool hasLeft;

    public ValueTask<long?> Prove()
    {
        lock (gate)
        {
            if (hasLeft) return new((long?)null);
            var age = clock.GetElapsedTime(provenAt);
            if (proven is null || age >= Worth) return new(Read());
            if (age > Worth / 2) _ = Read(); // so that nobody has to wait for the next one
            return new(proven);
        }
    }

    public void Leave()
    {
        lock (gate) (hasLeft, proven) = (true, null);
    }

    // Everyone who waits shares one read: its proof counts from its beginning, whenever they asked. Not on this thread,
    // which may hold a lock.
    private Task<long?> Read() => reading is { IsCompleted: false } under ? under : reading = Task.Run(ReadTable);

    // After the database restarted, every connection in the pool may be dead.
    private async Task<long?> ReadTable()
    {
        for (var tries = 1; ; tries++)
        {
            var begun = clock.GetTimestamp();
            var (version, mayRetry) = await TryReadTable(isLast: tries > PostgresDatabase.MembershipConnectionsMax);
            lock (gate)
            {
                if (hasLeft) return null;
                if (version is not null) (proven, provenAt) = (version, begun);
                else if (!mayRetry) proven = null;
            }
            // If the process was paused during the read, the proof is too old when it arrives.
            if (version is not null && clock.GetElapsedTime(begun) < Worth) return version;
            if (!mayRetry) return null;
        }
    }

    private async Task<(long? Version, bool MayRetry)> TryReadTable(bool isLast)
    {
        try
        {
            var data = await table.ReadRowAsync(silo.SiloAddress, CancellationToken.None).WaitAsync(Patience);
            if (data.TryGet(silo.SiloAddress) is not { Item1.Status: SiloStatus.Active }) return (null, false);
            var version = data.Version.Version;
            if (version > ownership.Version)
            {
                await membership.Refresh(new(version)).AsTask().WaitAsync(Patience);
                ownership.Follow(membership.CurrentSnapshot);
            }
            return (version <= ownership.Version ? version : null, !isLast);
        }
        catch (DbException) when (!isLast)
        {
            return (null, true);
        }
        catch (Exception exception) // the membership provider's own kinds of failure
        {
            if (throttle.TryPass(out var more)) LogUnproven(exception, more);
            return (null, false);
        }
    }

    [LoggerMessage(LogLevel.Warning,
        "The membership table could not be read: nothing is answered for fingerprints until it can "
        + "({More} more failures since the last line)")]
    private partial void LogUnproven(Exception exception, long more);
}
