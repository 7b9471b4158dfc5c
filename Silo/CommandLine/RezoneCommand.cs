using Tally.Grains;
using Tally.Grains.EventLog;
using Tally.Silo.Hosting;
using Tally.Silo.Settings;
using Tally.Silo.Storage;

namespace Tally.Silo.CommandLine;

/// <summary>
/// <c>app rezone</c>: counts the whole log anew by the days of another time zone, while no silo runs.
/// </summary>
internal static class RezoneCommand
{
    /// <param name="name">Of the zone.</param>
    public static async Task<int> Run(AppSettings settings, string name)
    {
        var calendar = Parse(name);
        var limits = new ConfigurationBuilder().AddEnvironmentVariables().Build().BindLimits();
        await using var database = Database.For(settings.DbUrl, limits);
        database.Claim();
        await DatabaseStart.Prepare(database, CancellationToken.None);
        if (await database.FindSilo() is { } silo)
            throw new StartupException($"{silo} serves {database.Place}: stop all silos first. "
                + "One that was killed counts as running for 20 seconds.");
        try
        {
            var all = (await database.Storage.ReadCounts()).Sum(one => one.Events);
            var (tally, recounted) = (new RecountTally(), default(Recounted));
            await TransferProgress.Show(tally, () => (tally.Events, all), async () => recounted =
                await database.Storage.Recount(calendar, limits.DimensionValuesMax, events => tally.Events = events));
            if (recounted is null)
                throw new StartupException($"{database.Place} cannot be counted anew: of events that were erased "
                    + "or pruned only sums by day are left, which cannot be cut into other days.");
            Console.WriteLine($"{recounted.Events} events of {recounted.Fingerprints} fingerprints are counted by the "
                + $"days of {calendar.Name}. Start the service with -timeZone {calendar.Name}.");
            return 0;
        }
        catch (Exception exception) when (exception is EventLogUnavailableException or CommitUnknownException)
        {
            throw new StartupException($"{database.Place} was not counted anew, or its answer was lost: "
                + $"{(exception.InnerException ?? exception).Message}", exception);
        }
    }

    private static Calendar Parse(string name)
    {
        try
        {
            return FlagValues.ParseTimeZone(name);
        }
        catch (FormatException exception)
        {
            throw new UsageException($"the zone: {exception.Message}");
        }
    }

    private sealed class RecountTally
    {
        public long Events { get; set; }

        public override string ToString() => $"{Events} events";
    }
}
