using Tally.Silo.Storage;
using Tally.Silo.Storage.Postgres;

namespace Tally.Silo.Hosting;

/// <summary>Makes a database ready when the process starts, waiting a while for one that is starting too.</summary>
internal static class DatabaseStart
{
    // Longer than a database's container takes to come up, short enough that a wrong address is noticed.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <exception cref="StartupException">Says in one line what is wrong.</exception>
    public static async Task<IReadOnlyList<string>> Prepare(Database database, CancellationToken cancellation)
    {
        var deadline = DateTime.UtcNow + Patience;
        while (true)
        {
            try
            {
                return await database.Prepare(cancellation);
            }
            catch (DatabaseUnreachableException exception)
            {
                if (DateTime.UtcNow >= deadline) throw new StartupException(exception.Message, exception);
            }
            await Task.Delay(Pause, cancellation);
        }
    }
}
