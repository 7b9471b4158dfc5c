using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>
/// A question stops at the database when its time is up or its client is gone, and frees its turn. The tables are
/// endless here, so a question that is not stopped never ends.
/// </summary>
public sealed class EndedQuestions(PostgresServer server)
{
    private const string OfVisits = "visits", OfTotals = "rollup_hours", OfLog = "events";

    private static readonly (string Table, string Path)[] Endless =
    [
        (OfVisits, "/api/fingerprints?product=nobody"), (OfVisits, "/api/uniques?product=nobody"),
        (OfVisits, "/api/top?of=fingerprints&product=nobody"), (OfVisits, "/api/retention?product=nobody"),
        (OfTotals, "/api/totals?product=nobody&from=2020-01-01&to=2060-01-01"),
        (OfTotals, "/api/top?of=products&product=nobody&from=2020-01-01&to=2060-01-01"),
        (OfLog, "/api/funnel?steps=view,buy&product=nobody"), (OfLog, "/api/sessions?product=nobody"),
        (OfLog, "/api/fingerprints/a/sessions?product=nobody"),
    ];

    private int writes;

    [Theory, EachStorage]
    public async Task One_whose_time_is_up_has_stopped(StorageKind storage)
    {
        foreach (var questions in Endless.GroupBy(one => one.Table, one => one.Path))
        {
            await using var at = await TestDatabase.Create(storage, server);
            await using var app = await Start(at, questions.Key, secondsMax: 2);
            foreach (var path in questions)
            {
                var answer = await app.Get(path);
                Assert.True(answer is { Status: 503, Reason: "unavailable" }, $"{path}: {answer.Status} {answer.Body}");
                await Eventually.True(async () => !await IsScanning(at), $"{path} goes on.");
            }
            Assert.Equal(200, (await app.Get(Finite(questions.Key))).Status);
        }
    }

    [Theory, EachStorage]
    public async Task One_whose_client_is_gone_has_stopped_and_gives_its_turn_to_the_next(StorageKind storage)
    {
        foreach (var questions in Endless.GroupBy(one => one.Table, one => one.Path))
        {
            await using var at = await TestDatabase.Create(storage, server);
            await using var app = await Start(at, questions.Key, secondsMax: 600);
            foreach (var path in questions)
            {
                using var client = new CancellationTokenSource();
                var asking = app.Http.GetAsync(path, client.Token);
                await Eventually.True(() => IsScanning(at, forLong: true), $"{path} does not begin.");
                Assert.False(asking.IsCompleted);
                await client.CancelAsync();
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
                await Eventually.True(async () => !await IsScanning(at), $"{path} goes on.");
                Assert.Equal(200, (await app.Get(Finite(questions.Key))).Status); // there is only one turn
            }
        }
    }

    // Asks the other table.
    private static string Finite(string endless) => endless == OfVisits ? "/api/totals" : "/api/fingerprints";

    private static async Task<AppProcess> Start(TestDatabase at, string table, int secondsMax)
    {
        var app = await AppProcess.Start(at,
            new() { ["Limits__QuestionsMax"] = "1", ["Limits__QuestionSecondsMax"] = $"{secondsMax}" });
        await Eventually.True(async () =>
            (await app.PostForm("action=view&product=k8s&fingerprint=a&id=1")).Status == 200, "Nothing is recorded.");
        // Everything is merged first, because a question cannot merge into what becomes a view.
        await Eventually.True(async () =>
            (await at.Query($"select count(*) from {table}", row => row.GetInt64(0)))[0] == 1
            && (await at.Query("select count(*) from visit_deltas", row => row.GetInt64(0)))[0] == 0,
            "Nothing is merged.");
        await at.Execute($"alter table {table} rename to kept");
        var (time, more) = table switch
        {
            OfVisits => ("day", "fingerprint, events, first_seen, last_seen"),
            OfTotals => ("hour", "day, action, events, new_fingerprints, new_product_fingerprints, daily_fingerprints, daily_product_fingerprints"),
            _ => ("occurred", "fingerprint, sequence, action, properties"),
        };
        await at.Execute(at.Kind == StorageKind.Sqlite
            ? $"create view {table} as with recursive n (i) as (select 1 union all select i + 1 from n) "
                + $"select {time}, product || (i % 2) as product, {more} from n cross join kept"
            : $"create view {table} as select {time}, product || (generate_series(1, 1000000000000) % 2)::text as product, {more} from kept");
        return app;
    }

    // SQLite: whether somebody's read keeps the write-ahead log from being emptied.
    // Postgres loses a cancel request that comes while it reads a statement's next message, so a client stays until the
    // scan has taken a while.
    private async Task<bool> IsScanning(TestDatabase at, bool forLong = false) => (at.Kind == StorageKind.Sqlite
        ? await at.Query($"pragma user_version = {++writes}; pragma wal_checkpoint(truncate)", row => row.GetInt64(0))
        : await at.Query(
            $"select count(*) from pg_stat_activity where datname = current_database() and state = 'active' "
            + $"and pid <> pg_backend_pid() and clock_timestamp() - query_start >= interval '{(forLong ? 1 : 0)} s' and (query like '%from {OfVisits}%' or query like '%from {OfTotals}%' or query like '%from {OfLog}%')", row => row.GetInt64(0)))[0] > 0;
}
