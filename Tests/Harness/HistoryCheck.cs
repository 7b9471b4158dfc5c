using System.Text.Json;
using Tally.Contracts;

namespace Tally.Tests.Harness;

public enum FindingKind { Lost, Doubled, Other }

public sealed record Finding(FindingKind Kind, string Text);

/// <summary>
/// Compares what clients know with what the database holds, read directly, and with what the product answers.
/// </summary>
public static class HistoryCheck
{
    private const int FindingsShownMax = 10;
    private const int ViewsAtOnce = 8;

    private sealed record Row(string Fingerprint, long Sequence, Guid Id, string Product, string Action);

    /// <summary>Asserts everything that must be true of a history, whatever faults happened.</summary>
    public static async Task Holds(LoadHistory history, TestDatabase database, AppProcess app)
    {
        await LogHolds(history, database);
        await CountersHold(database, app);
        await AppProcess.AssertVerifies(database);
    }

    /// <summary>
    /// Asserts that nothing acknowledged is missing, nothing is stored twice, and nothing is stored that nobody sent.
    /// </summary>
    /// <param name="prefix">The fingerprints' <see cref="LoadShape.Prefix"/>, if the log has others too.</param>
    public static async Task LogHolds(LoadHistory history, TestDatabase database, string prefix = "")
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"{history}");
        Fail([.. (await Findings(history, database, prefix)).Select(finding => $"{finding}")]);
    }

    /// <summary>All differences between the history and the log.</summary>
    public static async Task<IReadOnlyList<Finding>> Findings(LoadHistory history, TestDatabase database,
        string prefix = "")
    {
        var log = (await ReadLog(database, prefix)).ToLookup(row => row.Fingerprint);
        var attempts = history.All.ToLookup(attempt => attempt.Fingerprint);
        var findings =
            history.With(AttemptOutcome.Unexpected)
                .Select(attempt => new Finding(FindingKind.Other, $"unexpected: {attempt}")).ToList();
        foreach (var fingerprint in attempts.Select(group => group.Key).Union(log.Select(group => group.Key)))
            findings.AddRange(Compare([.. attempts[fingerprint]], [.. log[fingerprint]])
                .Select(found => found with { Text = $"{fingerprint}: {found.Text}" }));
        return findings;
    }

    /// <summary>How many of the log's events no client has an acknowledgement for.</summary>
    public static async Task<int> CountRecordedButUnanswered(LoadHistory history, TestDatabase database) =>
        (await ReadLog(database)).Count - history.With(AttemptOutcome.Acknowledged)
            .Select(attempt => (attempt.Fingerprint, attempt.Receipt!.Sequence)).Distinct().Count();

    /// <summary>Asserts that every fingerprint's counters, read over HTTP, are the fold of its rows.</summary>
    public static async Task CountersHold(TestDatabase database, IServing app, string prefix = "") =>
        Fail(await CounterFindings(database, app, prefix: prefix));

    /// <summary>The fingerprints whose counters, read over HTTP, differ from the log.</summary>
    /// <param name="fingerprintsMax">If there are more, those with the most events are checked.</param>
    /// <param name="prefix">The fingerprints' prefix.</param>
    public static async Task<List<string>> CounterFindings(
        TestDatabase database, IServing app, int fingerprintsMax = int.MaxValue, string prefix = "")
    {
        var findings = new List<string>();
        var fingerprints = (await ReadLog(database, prefix)).GroupBy(row => row.Fingerprint)
            .OrderByDescending(rows => rows.Count()).Take(fingerprintsMax);
        await Parallel.ForEachAsync(fingerprints, new ParallelOptions { MaxDegreeOfParallelism = ViewsAtOnce },
            async (rows, _) =>
        {
            using var answer = await app.Ask($"/api/fingerprints/{Uri.EscapeDataString(rows.Key)}");
            var body = await answer.Content.ReadAsStringAsync(_);
            var view = answer.IsSuccessStatusCode
                ? JsonSerializer.Deserialize<FingerprintView>(body, JsonSerializerOptions.Web) : null;
            var expected = rows.CountBy(row => (row.Product, row.Action));
            if (view is null || view.Total != rows.Count() || view.Sequence != rows.Max(row => row.Sequence)
                || !view.Counts.Select(count => (count.Product, count.Action, count.Count))
                    .SequenceEqual(expected.Select(pair => (pair.Key.Product, pair.Key.Action, (long)pair.Value))))
                lock (findings) findings.Add($"{rows.Key}: {body}, but the log has {rows.Count()} events");
        });
        return findings;
    }

    private static IEnumerable<Finding> Compare(IReadOnlyList<Attempt> attempts, IReadOnlyList<Row> rows)
    {
        for (var i = 0; i < rows.Count; i++)
            if (rows[i].Sequence != i + 1)
                yield return new(FindingKind.Other, $"sequence {rows[i].Sequence} is in place {i + 1}");
        foreach (var twice in rows.GroupBy(row => row.Id).Where(group => group.Count() > 1))
            yield return new(FindingKind.Doubled, $"id {twice.Key} is there {twice.Count()} times");

        var byId = rows.DistinctBy(row => row.Id).ToDictionary(row => row.Id);
        var acknowledged = attempts.Where(attempt => attempt.Outcome == AttemptOutcome.Acknowledged).ToList();
        foreach (var attempt in acknowledged)
            if (!byId.TryGetValue(EventIds.FromClient(attempt.Receipt!.Id), out var row))
                yield return new(FindingKind.Lost, $"{attempt}");
            else if ((row.Sequence, row.Product, row.Action) != (attempt.Receipt.Sequence, attempt.Product,
                attempt.Action))
                yield return new(FindingKind.Other, $"differs: {attempt}, but {row}");
            else if (attempt.Id is not null && attempt.Receipt.Id != attempt.Id)
                yield return new(FindingKind.Other, $"another's receipt: {attempt}");

        // At most one receipt may say that it is the first. There may be none: the front end retries by itself after a
        // fault, and then the client's first try is already a repeat.
        foreach (var same in acknowledged.Where(attempt => attempt.Id is not null).GroupBy(attempt => attempt.Id))
        {
            var firsts = same.Count(attempt => !attempt.Receipt!.Duplicate);
            if (firsts > 1)
                yield return new(FindingKind.Doubled, $"id {same.Key} was acknowledged as new {firsts} times");
        }

        // Rows with any other id must come from attempts without an id that were not acknowledged.
        var known =
            attempts.Where(attempt => attempt.Id is not null).Select(attempt => EventIds.FromClient(attempt.Id!))
            .Concat(acknowledged.Select(attempt => EventIds.FromClient(attempt.Receipt!.Id))).ToHashSet();
        var unknown = rows.Count(row => !known.Contains(row.Id));
        var open = attempts.Count(attempt => attempt.Id is null && MayBeRecorded(attempt));
        if (unknown > open)
            yield return new(FindingKind.Doubled,
                $"{unknown} rows of unknown ids, but {open} attempts without id are open");
    }

    private static bool MayBeRecorded(Attempt attempt) =>
        attempt.Outcome is AttemptOutcome.NoReply or AttemptOutcome.Refused;

    private static Task<List<Row>> ReadLog(TestDatabase database, string prefix = "") => database.Query(
        $"select fingerprint, sequence, id, product, action from events where fingerprint like '{prefix}%' order by fingerprint, sequence",
        row => new Row(row.GetString(0), row.GetInt64(1), row.GetGuid(2), row.GetString(3), row.GetString(4)));

    private static void Fail(List<string> findings) => Assert.True(findings.Count == 0,
        $"{findings.Count} findings: {string.Join('\n', findings.Take(FindingsShownMax))}");
}
