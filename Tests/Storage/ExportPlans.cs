using System.Text.RegularExpressions;
using Tally.Silo.Storage;
using Tally.Tests.Harness;

namespace Tally.Tests.Storage;

/// <summary>
/// An export reads the log in key order. Nothing is sorted, so the first row need not wait for the others.
/// </summary>
public sealed partial class ExportPlans(PostgresServer server)
{
    [Theory, EachStorage]
    public async Task The_key_s_own_order_is_read_from_the_cursor_on(StorageKind storage)
    {
        await using var database = await TestDatabase.Create(storage, server);
        await using (await database.OpenPrepared())
        {
            var scripts = new SqlScripts($"{storage}");
            var question = Parameter().Replace(scripts["export_events"], name => name.Value switch
            {
                "@sequence" => "7",
                "@from" => "'2026-01-01'",
                "@to" => "'2026-02-01'",
                _ => "'x'",
            });
            if (storage == StorageKind.Sqlite)
            {
                var steps = await database.Query("explain query plan " + question, row => row.GetString(3));
                Assert.Equal(["SEARCH events USING PRIMARY KEY ((fingerprint,sequence)>(?,?))"], steps);
                return;
            }
            // Enough rows that the planner would choose a sort.
            await database.Execute("""
                insert into events (fingerprint, sequence, id, action, product, created, occurred)
                select md5(i::text), 1, gen_random_uuid(), 'view', 'k8s', now(), now() from generate_series(1, 20000) i;
                analyze events;
                """);
            var plan = string.Join('\n',
                await database.Query($"begin; {scripts["read_in_key_order"]}; explain {question}",
                    row => row.GetString(0)));
            Assert.StartsWith("Index Scan using events_pkey on events", plan);
            Assert.Matches(@"Index Cond: \(ROW\(fingerprint, sequence\) > ROW\('x'::text, '?7'?(::bigint)?\)\)", plan);
            Assert.DoesNotContain("Sort", plan);
        }
    }

    [GeneratedRegex("@[a-z]+")]
    private static partial Regex Parameter();
}
