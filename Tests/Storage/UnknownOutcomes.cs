using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Tally.Grains.EventLog;
using Tally.Silo.Settings;
using Tally.Silo.Storage;
using Tally.Tests.Harness;

namespace Tally.Tests.Storage;

/// <summary>The connection breaks during a commit. Postgres only: SQLite has no connection to lose.</summary>
public sealed class UnknownOutcomes(PostgresServer server)
{
    [Theory]
    [InlineData(CutAt.Statement, AppendOutcome.Unknown, 0, 0)]
    [InlineData(CutAt.End, AppendOutcome.Unknown, 0, 0)]
    [InlineData(CutAt.CommitUnderWay, AppendOutcome.Unknown, 0, 3)]
    [InlineData(CutAt.CommitReply, AppendOutcome.Unknown, 3, 3)]
    [InlineData(CutAt.AfterCommit, AppendOutcome.Recorded, 3, 3)]
    public async Task What_is_reported_of_a_cut_commit_is_true(CutAt at, AppendOutcome outcome, int recordedMin,
        int recordedMax)
    {
        await using var here = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var direct = await here.OpenPrepared();
        await using var proxy = PostgresProxy.Before(here);
        await using var database = Database.For(DatabaseUrl.Parse(proxy.Url), new());
        await using var log = RunningLog.Start(database);
        await new FingerprintWriter("first").Record(log.Commit, EventSamples.View());

        proxy.CutNext(at, "cut-me");
        var run = new FingerprintWriter("cut-me").Decide(3);
        Assert.Equal(outcome, (await log.Commit.Append(run)).Outcome);
        Assert.Equal(1, proxy.Cuts);
        // Either the whole run is recorded, with its rollups, or nothing.
        Assert.Contains((await direct.Storage.ReadAfter("cut-me", 0, 10)).Count, (int[])[recordedMin, recordedMax]);

        // After a late break, the next use of the connection fails.
        if (at == CutAt.AfterCommit) Assert.Equal(AppendOutcome.Unknown, (await log.Commit.Append(run)).Outcome);
        // A successor that read the log before a late commit decides the same again. Each id must be there once.
        var again = await log.Commit.Append(run);
        if (recordedMin == recordedMax)
            Assert.Equal(recordedMax == 0 ? AppendOutcome.Recorded : AppendOutcome.Fenced, again.Outcome);
        Assert.Equal(run.Select(r => r.Event.Id),
            (await direct.Storage.ReadAfter("cut-me", 0, 10)).Select(r => r.Event.Id));
        await RunningLog.AssertProven(direct);
    }

    [Theory]
    [InlineData(CutAt.Statement)]
    [InlineData(CutAt.End)]
    [InlineData(CutAt.CommitUnderWay)]
    [InlineData(CutAt.CommitReply)]
    [InlineData(CutAt.AfterCommit)]
    public async Task An_event_whose_commit_is_cut_is_counted_once(CutAt at)
    {
        await using var here = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var proxy = PostgresProxy.Before(here);
        await using var app = await AppProcess.Start(here.Through(proxy));
        Assert.Equal(1, (await Post(app, "before")).GetProperty("sequence").GetInt64());

        proxy.CutNext(at, "cut-me");
        var receipt = await Post(app, "cut"); // the front end resolves an unknown outcome
        Assert.Equal(1, proxy.Cuts);
        Assert.Equal(2, receipt.GetProperty("sequence").GetInt64());
        Assert.True((await Post(app, "cut")).GetProperty("duplicate").GetBoolean());
        Assert.Equal(3, (await Post(app, "after")).GetProperty("sequence").GetInt64());

        var view = await app.Http.GetFromJsonAsync<JsonElement>("/api/fingerprints/cut-me");
        Assert.Equal(3, view.GetProperty("total").GetInt64());
        Assert.Equal([3L],
            await here.Query("select count(*) from events where fingerprint = 'cut-me'", row => row.GetInt64(0)));
        await AppProcess.AssertVerifies(here);
    }

    [Theory]
    [InlineData(CutAt.Statement)]
    [InlineData(CutAt.CommitReply)]
    public async Task A_batch_whose_commit_is_cut_is_counted_once(CutAt at)
    {
        await using var here = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var proxy = PostgresProxy.Before(here);
        await using var app = await AppProcess.Start(here.Through(proxy));
        foreach (var seenBefore in (string[])["cut-me", "other"])
            await app.PostForm($"action=view&product=k8s&fingerprint={seenBefore}");

        proxy.CutNext(at, "cut-me");
        var items = from fingerprint in (string[])["cut-me", "other", "new"]
                    from id in Enumerable.Range(0, 3)
                    select $$"""{"action":"view","product":"k8s","fingerprint":"{{fingerprint}}","id":"{{id}}"}""";
        // the front end resolves unknown outcomes
        var receipt = (await app.PostBatch($"[{string.Join(',', items)}]")).Batch;
        Assert.Equal(1, proxy.Cuts);
        Assert.Equal((9, 9), (receipt.Handled, receipt.Recorded + receipt.Repeated));
        foreach (var (fingerprint, total) in ((string, long)[])[("cut-me", 4), ("other", 4), ("new", 3)])
            Assert.Equal(total, (await app.View(fingerprint)).Body.GetProperty("total").GetInt64());
        await AppProcess.AssertVerifies(here);
    }

    private static async Task<JsonElement> Post(AppProcess app, string id)
    {
        using var content =
            new StringContent($"action=view&product=k8s&fingerprint=cut-me&id={id}", null,
                "application/x-www-form-urlencoded");
        using var response = await app.Http.PostAsync("/api/events", content);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.Content.ReadFromJsonAsync<JsonElement>();
    }
}
