using System.Data.Common;
using Tally.Grains;
using Tally.Silo.Storage.Postgres;

namespace Tally.Silo.Hosting;

/// <summary>
/// Proves liveness from the membership table. Another silo takes over a grain no earlier than
/// <see cref="Clustering.Takeover"/> after the table says that this one is dead. So a read that found it active is
/// proof for that long, counted from the read's beginning, even if this process was paused meanwhile.
/// </summary>
internal sealed partial class MembershipLiveness(
    IMembershipTable table, ILocalSiloDetails silo, TimeProvider clock, ILogger<MembershipLiveness> logger)
        : ISiloLiveness
{
    // Below the takeover time by far more than the clocks of two machines can differ in rate.
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
            // Everyone who waits shares one read: its proof counts from its beginning, whenever they asked.
            if (reading is null or { IsCompleted: true }) reading = ReadTable();
            return new(reading);
        }
    }

    // After the database restarted, every connection in the pool may be dead.
    private async Task<bool> ReadTable()
    {
        for (var lost = 0; ; lost++)
            if (await TryReadTable(isLast: lost == PostgresDatabase.MembershipConnectionsMax) is { } alive)
                return alive;
    }

    private async Task<bool?> TryReadTable(bool isLast)
    {
        var begun = clock.GetTimestamp();
        try
        {
            var data = await table.ReadRowAsync(silo.SiloAddress, CancellationToken.None).WaitAsync(Patience);
            var active = data.TryGet(silo.SiloAddress) is { Item1.Status: SiloStatus.Active };
            lock (gate) (proven, provenAt) = (active, begun);
            // If the process was paused during the read, the proof is too old when it arrives.
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

    [LoggerMessage(LogLevel.Warning,
        "The membership table could not be read: counters are not answered from memory until it can")]
    private partial void LogUnproven(Exception exception);
}
