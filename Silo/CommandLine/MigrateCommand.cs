using Tally.Contracts;
using Tally.Silo.Hosting;
using Tally.Silo.Settings;
using Tally.Silo.Storage;

namespace Tally.Silo.CommandLine;

/// <summary><c>app migrate</c>: applies the migrations that are missing, and names them.</summary>
internal static class MigrateCommand
{
    public static async Task<int> Run(AppSettings settings)
    {
        await using var database = Database.For(settings.DbUrl, new Limits());
        var applied = await DatabaseStart.Prepare(database, CancellationToken.None);
        foreach (var name in applied) Console.WriteLine($"applied {name}");
        Console.WriteLine($"{settings.DbUrl} is up to date.");
        return 0;
    }
}
