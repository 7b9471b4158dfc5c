using Microsoft.Extensions.Logging.Abstractions;
using Tally.Contracts;
using Tally.Grains.EventLog;
using Tally.Silo.Hosting;
using Tally.Silo.Storage;

namespace Tally.Tests.Harness;

/// <summary>A separate group commit over a real database, as in each silo.</summary>
internal sealed class RunningLog(GroupCommit commit) : IAsyncDisposable
{
    public GroupCommit Commit => commit;

    public static RunningLog Start(Database database, Limits? limits = null)
    {
        var log = new RunningLog(Queueing(database, limits));
        log.Commit.Start();
        return log;
    }

    /// <summary>Not started yet, so appended runs queue up and the test decides what shares a batch.</summary>
    public static GroupCommit Queueing(Database database, Limits? limits = null) =>
        new(database.Storage, new AloneLiveness(), limits ?? new(), NullLogger<GroupCommit>.Instance);

    public static async Task AssertProven(Database database) => Assert.Empty(await Differences(database));

    /// <summary>Folds what is stored and compares.</summary>
    public static async Task<IReadOnlyList<string>> Differences(Database database)
    {
        await using var audit = await database.Storage.OpenAudit(CancellationToken.None);
        var differences = new List<string>();
        await new Proof(audit, StoredStates.Deserialize, differences.Add).Run(CancellationToken.None);
        return differences;
    }

    public async ValueTask DisposeAsync() => await commit.Close();
}
