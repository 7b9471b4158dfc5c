using Tally.Contracts;
using Tally.Grains;
using Tally.Grains.EventLog;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Verifications;

/// <summary>
/// Runs proofs that people ask for, one at a time in the whole cluster. While one runs, its silo notes in the database
/// how far it has come; if it falls silent, the proof is over, and another one may begin.
/// </summary>
internal sealed partial class Verifier(SqlStorage storage, ILocalSiloDetails silo, IHostApplicationLifetime lifetime,
    Limits limits, TimeProvider clock, ILogger<Verifier> logger) : IHostedService
{
    public const string SiloDied = "silo_died"; // also in begin_verification.sql
    public const int KeptMax = 20;

    /// <summary>Far longer than between two notes, and than clocks differ.</summary>
    public static readonly TimeSpan SilenceMax = TimeSpan.FromSeconds(20);

    private const int DifferencesKeptMax = 20; // a broken database has more than anyone would read
    private static readonly TimeSpan NoteInterval = TimeSpan.FromSeconds(1);

    private volatile Task running = Task.CompletedTask;

    private DateTime Now => clock.GetUtcNow().UtcDateTime;

    /// <summary>Begins a verification, if none runs.</summary>
    /// <returns>The one that it began, or else the newest, and which of both.</returns>
    /// <exception cref="EventLogUnavailableException">The database does not answer.</exception>
    public async Task<(Verification Verification, bool IsNew)> Begin()
    {
        var now = Now;
        var id = await storage.BeginVerification(silo.Name, now, now - SilenceMax, KeptMax);
        if (id is { } own) running = Task.Run(() => Run(own, now));
        var all = await storage.ReadVerifications();
        return (Verification.From(all.FirstOrDefault(one => one.Id == id) ?? all[0], Now), id is not null);
    }

    /// <exception cref="EventLogUnavailableException">The database does not answer.</exception>
    public async Task<VerificationsAnswer> Read() => VerificationsAnswer.From(await storage.ReadVerifications(), Now);

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    // When the process is told to stop, the proof is, too. Its end is written before the database is closed.
    public Task StopAsync(CancellationToken cancellationToken) => running.WaitAsync(cancellationToken);

    private async Task Run(long id, DateTime begun)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(lifetime.ApplicationStopping);
        var run = new RunningProof(limits, clock, ending);
        StoredVerification State(DateTime? ended = null, string? reason = null) => new(id, silo.Name, begun, Now, ended,
            run.Progress, run.Events, run.Fingerprints, ended is null || reason is not null ? null : run.Differences,
            run.Found, reason);
        var noting = Note(() => State(), ending);
        var reason = await Prove(run, ending.Token);
        await ending.CancelAsync();
        await noting;
        try
        {
            await storage.NoteVerification(State(Now, reason));
        }
        catch (EventLogUnavailableException)
        {
            // it is over when it has been silent for some time
        }
    }

    /// <returns>Why it did not come to its end, or null.</returns>
    private async Task<string?> Prove(RunningProof run, CancellationToken ending)
    {
        try
        {
            await using var audit = await storage.OpenAudit(ending);
            await run.Prove(audit, ending);
            return null;
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            return run.HasTooManyRollups ? "too_many_rollups" : "silo_stopped";
        }
        catch (EventLogUnavailableException)
        {
            return "unavailable";
        }
        catch (Exception exception) // whoever asked for it must hear of it
        {
            LogFailed(exception);
            return "failed";
        }
    }

    private async Task Note(Func<StoredVerification> state, CancellationTokenSource ending)
    {
        using var timer = new PeriodicTimer(NoteInterval);
        try
        {
            while (await timer.WaitForNextTickAsync(ending.Token))
                if (!await TryNote(state())) await ending.CancelAsync(); // this process was paused: it is over
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // it has ended
        }
    }

    private async Task<bool> TryNote(StoredVerification state)
    {
        try
        {
            return await storage.NoteVerification(state);
        }
        catch (EventLogUnavailableException)
        {
            return true; // the next one may come through
        }
    }

    [LoggerMessage(LogLevel.Error, "A verification failed")]
    private partial void LogFailed(Exception exception);

    /// <summary>A proof that leaves processors to events, and bounds what it holds.</summary>
    private sealed class RunningProof(Limits limits, TimeProvider clock, CancellationTokenSource ending)
    {
        private readonly Pace pace =
            new(Math.Max(1, limits.VerificationEventsPerSecondMax / Proof.EventsBetweenRests), clock);
        private volatile Proof? proof;
        private volatile string[] found = [];

        public double Progress => proof?.Progress ?? 0;
        public long Events => proof?.Events ?? 0;
        public long Fingerprints => proof?.Fingerprints ?? 0;
        public long Differences => proof?.Differences ?? 0;
        public IReadOnlyList<string> Found => found;
        public bool HasTooManyRollups { get; private set; }

        // SQLite's calls block, and so this does.
        public async Task Prove(IEventLogAudit audit, CancellationToken cancellation)
        {
            proof = new(audit, StoredStates.Deserialize, Keep, Rest);
            await proof.Run(cancellation);
        }

        private async ValueTask Rest()
        {
            if (proof!.FoldedRollups > limits.VerificationRollupsMax)
            {
                HasTooManyRollups = true;
                await ending.CancelAsync();
            }
            await pace.Wait(cancellation: ending.Token);
        }

        private void Keep(string difference)
        {
            if (found.Length < DifferencesKeptMax) found = [.. found, difference.ReplaceLineEndings(" ")];
        }
    }
}
