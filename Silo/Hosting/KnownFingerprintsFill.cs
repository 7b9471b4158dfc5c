using System.Diagnostics;
using Tally.Contracts;
using Tally.Grains;
using Tally.Grains.EventLog;
using Tally.Silo.Storage;

namespace Tally.Silo.Hosting;

/// <summary>
/// Fills <see cref="KnownFingerprints"/> from the log in the background: at the start, and again when this silo may
/// have gained what another one has recorded. A silo that joins takes away and gives nothing.
/// </summary>
internal sealed partial class KnownFingerprintsFill(
    KnownFingerprints known, SqlStorage storage, IClusterMembershipService membership, ILocalSiloDetails local,
    Limits limits, ILogger<KnownFingerprintsFill> logger) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5); // while the database is away

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (limits.KnownFingerprintsBytesMax == 0) return;
        HashSet<SiloAddress>? others = null; // active when it was filled
        try
        {
            await foreach (var members in membership.MembershipUpdates.WithCancellation(stoppingToken))
            {
                if (members.GetSiloStatus(local.SiloAddress) != SiloStatus.Active) continue;
                var active = members.Members.Values.Where(member => member.Status == SiloStatus.Active)
                    .Select(member => member.SiloAddress).ToHashSet();
                if (others is null || !others.IsSubsetOf(active))
                {
                    known.Clear();
                    while (!await TryFill(stoppingToken)) await Task.Delay(Pause, stoppingToken);
                }
                others = active;
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // the process stops
        }
    }

    private async Task<bool> TryFill(CancellationToken stopping)
    {
        try
        {
            // Before anything is read: a first run is checked against all that is removed or suppressed later.
            var begun = await storage.ReadNewest([], 1);
            if (begun.SomeAreSuppressed) known.NoteSuppression();
            known.Begin(begun.RemovalEpoch);
            // In this order, because a fingerprint that is pruned meanwhile goes from the first to the second.
            await AddAll(storage.ReadFingerprints, stopping);
            await AddAll(storage.ReadFullyPruned, stopping);
            known.Complete();
            return true;
        }
        catch (EventLogUnavailableException exception)
        {
            LogNotFilled(exception);
            return false;
        }
    }

    // Rests between two pages for as long as one took: events come first on the database's processors.
    private async Task AddAll(Func<string, int, Task<IReadOnlyList<string>>> readPage, CancellationToken stopping)
    {
        var size = limits.KnownFingerprintsPageMax;
        for (var after = ""; ;)
        {
            var begun = Stopwatch.GetTimestamp();
            var page = await Task.Run(() => readPage(after, size), stopping); // SQLite's calls block
            foreach (var fingerprint in page) known.Add(fingerprint);
            if (page.Count < size) return;
            after = page[^1];
            await Task.Delay(Stopwatch.GetElapsedTime(begun), stopping);
        }
    }

    [LoggerMessage(LogLevel.Warning,
        "The log's fingerprints could not be read; until they can, each new one is looked for in the log")]
    private partial void LogNotFilled(Exception exception);
}
