using Tally.Contracts;
using Tally.Grains.EventLog;
using Tally.Silo.Settings;
using Tally.Silo.Storage;
using Tally.Silo.Storage.Postgres;

namespace Tally.Silo.Hosting;

/// <summary>
/// Prepares the database when the process starts, and waits a while for a database that is starting too.
/// </summary>
internal static class DatabaseStart
{
    // Longer than a database's container takes to start, short enough to notice a wrong address.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    // A refusal is reported at once; a server that does not answer, after this.
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan TellAgain = TimeSpan.FromSeconds(10);

    /// <exception cref="StartupException">Says in one line what is wrong.</exception>
    public static async Task<IReadOnlyList<string>> Prepare(Database database, CancellationToken cancellation)
    {
        try
        {
            await WaitFor(database, cancellation);
            return await database.Migrate(cancellation);
        }
        catch (DatabaseUnreachableException exception)
        {
            throw new StartupException(exception.Message, exception);
        }
    }

    /// <summary>Has the database count in the service's time zone and by its dimensions, and reads its rules.</summary>
    /// <exception cref="StartupException">Says in one line what is wrong.</exception>
    public static async Task Count(Database database, AppSettings settings, Limits limits)
    {
        try
        {
            var wanted = settings.Calendar;
            if (await database.Storage.CountIn(wanted) is var kept && kept != wanted.Name)
                throw new StartupException($"the database counts the days of {kept}, and -timeZone is {wanted.Name}: "
                    + $"set it to {kept}, or count anew from the log with app rezone {wanted.Name}");
            await database.Storage.CountBy(
                settings.Dimensions.Concat(settings.Derived.All.Select(name => DerivedSettings.Properties[name])),
                limits.DimensionValuesMax);
            await database.Storage.RefreshRules();
        }
        catch (EventLogUnavailableException exception)
        {
            throw new StartupException(
                $"{database.Place} does not answer: {exception.InnerException?.Message}", exception);
        }
    }

    private static async Task WaitFor(Database database, CancellationToken cancellation)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var failure = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var telling = Tell(database.Place, failure.Task, waiting.Token);
        try
        {
            for (var deadline = DateTime.UtcNow + Patience; ; await Task.Delay(Pause, cancellation))
            {
                try
                {
                    await database.Connect(cancellation);
                    return;
                }
                catch (DatabaseUnreachableException exception) when (DateTime.UtcNow < deadline)
                {
                    failure.TrySetResult(exception.Message);
                }
            }
        }
        finally
        {
            await waiting.CancelAsync();
            await telling;
        }
    }

    private static async Task Tell(string place, Task<string> failure, CancellationToken waiting)
    {
        try
        {
            await Task.WhenAny(failure, Task.Delay(Silence, waiting));
            for (; !waiting.IsCancellationRequested; await Task.Delay(TellAgain, waiting))
                await Console.Error.WriteLineAsync(failure.IsCompletedSuccessfully
                    ? $"app: waiting for the database: {failure.Result.ReplaceLineEndings(" ")}"
                    : $"app: waiting for {place}, which does not answer");
        }
        catch (OperationCanceledException)
        {
            // the database answers, or nobody waits any more
        }
    }
}
