using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Tally.Tests.Harness;

namespace Tally.Tests.Storage;

/// <summary>The SQL in the documentation runs on both databases, and its answers are right.</summary>
public sealed partial class TheSqlPage(PostgresServer server)
{
    private static readonly (string Occurred, string Action, string Fingerprint, string Properties)[] Sent =
    [
        ("2026-10-13T10:00:00Z", "view", "ada", """{"path":"/","plan":"free"}"""),
        ("2026-10-13T10:00:00Z", "buy", "bob", """{"path":"/cart"}"""),
        ("2026-10-14T10:00:00Z", "view", "bob", """{"path":"/"}"""),
        ("2026-10-20T00:00:00Z", "buy", "ada", """{"path":"/cart","plan":"pro"}"""),
        ("2026-10-31T23:59:59Z", "view", "eve", """{"path":"/"}"""),
        ("2026-11-01T00:00:00Z", "view", "eve", """{"path":"/late"}"""),
    ];

    private static readonly string[] Expected =
    [
        "shop view 4; shop buy 2",
        "2026-10-13 2 2; 2026-10-14 1 1; 2026-10-20 1 1; 2026-10-31 1 1",
        "3",
        "/ 3; /cart 2",
        " 3 2; free 1 1; pro 1 1",
        "3 1",
        "2 1",
        """1 view shop {"path":"/","plan":"free"}; 2 buy shop {"path":"/cart","plan":"pro"}""",
    ];

    [GeneratedRegex("```sql\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();

    [Theory, EachStorage]
    public async Task Each_question_has_its_answer(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using (var silo = await RunningSilo.Start(at, new(), dimensions: ["path"]))
        {
            var batch = Sent.Select(one => $$"""
                {"product":"shop","timestamp":"{{one.Occurred}}","action":"{{one.Action}}",
                 "fingerprint":"{{one.Fingerprint}}","properties":{{one.Properties}}}
                """);
            Assert.Equal(Sent.Length, (await silo.Post(
                Encoding.UTF8.GetBytes($"[{string.Join(',', batch)}]"), "application/json",
                path: Requests.BatchPath + "?history=true")).Batch.Recorded);
            Assert.Equal(200, (await silo.Get("/api/uniques")).Status); // merges visits and dimensions
        }
        var blocks = Block().Matches(await File.ReadAllTextAsync(Repository.File("docs/how-to/ask-with-sql.md")));
        Assert.Equal(Expected.Length, blocks.Count);
        foreach (var (block, expected) in blocks.Zip(Expected))
        {
            var rows = await at.Query(block.Groups[1].Value, row => string.Join(' ', Enumerable.Range(0, row.FieldCount)
                .Where(column => row.GetName(column) != "occurred").Select(column => Text(row.GetValue(column)))));
            Assert.Equal(expected, string.Join("; ", rows));
        }
    }

    private static string Text(object value) => value switch
    {
        DBNull => "",
        DateOnly day => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };
}
