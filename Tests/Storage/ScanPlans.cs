using System.Text.RegularExpressions;
using Tally.Silo.Storage;
using Tally.Tests.Harness;

namespace Tally.Tests.Storage;

/// <summary>
/// Scans of the log come by fingerprint and time. SQLite goes along the key and sorts each fingerprint's events by
/// itself; Postgres reads the table once and sorts what is in the range.
/// </summary>
public sealed partial class ScanPlans(PostgresServer server)
{
    [Theory, EachStorage]
    public async Task The_log_is_read_once(StorageKind storage)
    {
        await using var database = await TestDatabase.Create(storage, server);
        await using (await database.OpenPrepared())
        {
            if (storage == StorageKind.Postgres)
                await database.Execute("""
                    insert into events (fingerprint, sequence, id, action, product, created, occurred)
                    select md5((i / 5)::text), i % 5, gen_random_uuid(), 'view', 'k8s', now(),
                        now() - i * interval '1 s'
                    from generate_series(1, 50000) i;
                    analyze events;
                    """);
            var scripts = new SqlScripts($"{storage}");
            foreach (var name in (string[])["scan_funnel", "scan_sessions"])
            {
                var plan = await Explain(database, scripts[name]);
                if (storage == StorageKind.Sqlite)
                {
                    Assert.StartsWith("SCAN events ", plan);
                    Assert.Matches("TEMP B-TREE FOR (RIGHT PART|LAST [23] TERMS) OF ORDER BY", plan);
                }
                else
                {
                    Assert.Matches("^Sort.*Sort Key: fingerprint .*occurred, sequence.*Seq Scan on events", plan);
                }
            }
            Assert.Contains(storage == StorageKind.Sqlite ? "SEARCH events USING PRIMARY KEY (fingerprint=?)"
                : "events_pkey", await Explain(database, scripts["read_sessions"]));
        }
    }

    private static async Task<string> Explain(TestDatabase database, string question)
    {
        var isSqlite = database.Kind == StorageKind.Sqlite;
        question = Parameter().Replace(question, name => name.Value switch
        {
            "@actions" => isSqlite ? """'["view"]'""" : "array['view']",
            "@with_properties" => "true",
            "@from" => isSqlite ? "'2026-01-01'" : "now() - interval '1 hour'",
            "@to" => isSqlite ? "'2026-02-01'" : "now()",
            "@product" => "null",
            _ => "'x'",
        });
        return string.Join(' ', isSqlite ? await database.Query("explain query plan " + question, row => row.GetString(3))
            : await database.Query($"explain (costs off) {question}", row => row.GetString(0).Trim()));
    }

    [GeneratedRegex("@[a-z_]+")]
    private static partial Regex Parameter();
}
