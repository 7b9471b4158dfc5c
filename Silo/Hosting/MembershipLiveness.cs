using System.Data.Common;
using Tally.Grains;
using Tally.Silo.Storage.Postgres;

namespace Tally.Silo.Hosting;

/// <summary>
/// Proves liveness from the membership table. Another silo takes over a grain at the earliest
/// <see cref="Clustering.Takeover"/> after the table says that this one is dead. So a read of the table that found it
/// active is worth as long, counted from the read's beginning: whatever this process slept through meanwhile.
/// </summary>
internal sealed partial class MembershipLiveness(
    IMembershipTable table, ILocalSiloDetails silo, TimeProvider clock, ILogger<MembershipLiveness> logger) : ISiloLiveness
{
    // Below the takeover time by what two machines' clocks could differ in rate, and far more.
    private static readonly TimeSpan Worth = Clustering.Takeover * 0.8;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly Lock gate = new();
    private Task<bool>? reading;
    private long provenAt;
    private bool proven;

    public ValueTask<bool> Prove()
    {
        lock (gate)
        {
            if (proven && clock.GetElapsedTime(provenAt) < Worth) return new(true);
            // One read for all who wait: what it proves holds from its end back to its beginning, whenever they asked.
            if (reading is null or { IsCompleted: true }) reading = Read();
            return new(reading);
        }
    }

    // A database that restarted, or lost its connections, has left as many dead ones in the pool as there may be.
    private async Task<bool> Read()
    {
        for (var lost = 0; ; lost++)
            if (await TryRead(isLast: lost == PostgresDatabase.MembershipConnectionsMax) is { } alive) return alive;
    }

    private async Task<bool?> TryRead(bool isLast)
    {
        var begun = clock.GetTimestamp();
        try
        {
            var data = await table.ReadRowAsync(silo.SiloAddress, CancellationToken.None).WaitAsync(Patience);
            var active = data.TryGet(silo.SiloAddress) is { Item1.Status: SiloStatus.Active };
            lock (gate) (proven, provenAt) = (active, begun);
            // Asleep in the middle of the read, the proof is old when it comes.
            return active && clock.GetElapsedTime(begun) < Worth;
        }
        catch (DbException) when (!isLast)
        {
            return null;
        }
        catch (Exception exception) // the membership provider's own kinds of failure
        {
            LogUnproven(exception);
            return false;
        }
    }

    [LoggerMessage(LogLevel.Warning, "The membership table could not be read: counters are not answered from memory until it can")]
    private partial void LogUnproven(Exception exception);
}
