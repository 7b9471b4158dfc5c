using System.Text.Json;
using Tally.Contracts;
using Tally.Grains.EventLog;
using Tally.Silo.Storage;
using Tally.Tests.Harness;

namespace Tally.Tests.Storage;

/// <summary>What events' properties add to the counts by their values, compared with a model of sets.</summary>
public sealed class CountingDimensions(PostgresServer server)
{
    private static readonly string[] Values =
        ["/", "/pricing", "/käse ☕", "(other)", "__proto__", "'; drop table events; --", "=1+1", "\u0001\t\u007f", "0"];

    [Theory, EachStorage]
    public async Task Every_moment_of_any_history_equals_the_model(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        var random = new Random(Seed.Next());
        // Two silos that count different things, as during a change of the setting. SQLite has one after the other.
        await using var database = await at.OpenPrepared();
        await using var other = storage == StorageKind.Sqlite ? null : await at.OpenPrepared();
        const int ValuesMax = 5;
        await database.Storage.CountBy(["path", "plan"], ValuesMax);
        if (other is not null) await other.Storage.CountBy(["path"], ValuesMax);
        await using var log = RunningLog.Start(database);
        await using var otherLog = other is null ? null : RunningLog.Start(other);

        var model = new DimensionModel();
        var writers = Enumerable.Range(0, 5).Select(i => new FingerprintWriter($"f{i}")).ToArray();
        var epochs = new long[writers.Length]; // as each writer knows it
        for (var step = 0; step < 150; step++)
        {
            var place = random.Next(writers.Length);
            var writer = writers[place];
            switch (random.Next(10))
            {
                case 0 when random.Next(2) == 0 && writer.State.Sequence > 0:
                    Assert.NotNull(await database.Storage.Erase(writer.Fingerprint, writer.State.Sequence, false, 3));
                    writers[place] = new(writer.Fingerprint);
                    epochs[place] = (await database.Storage.ReadNewest([writer.Fingerprint], 1)).RemovalEpoch;
                    model.Erase(writer.Fingerprint);
                    break;
                case 1 when writer.State.Sequence > 0:
                    await database.Storage.Prune([writer.Fingerprint], DateTime.MaxValue, 1 + random.Next(3));
                    break;
                case 2:
                    await database.Storage.MergeDimensions(1 + random.Next(3));
                    break;
                default:
                    var isFirst = random.Next(3) > 0;
                    var silo = isFirst ? database : other ?? database;
                    if (other is null) await database.Storage.CountBy(isFirst ? ["path", "plan"] : ["path"], ValuesMax);
                    var run = writer.Decide(Enumerable.Range(0, 1 + random.Next(4)).Select(_ => Draw(random)));
                    var appended = await (isFirst ? log : otherLog ?? log).Commit.Append(run, epochs[place]);
                    Assert.Equal(AppendOutcome.Recorded, appended.Outcome);
                    epochs[place] = appended.RemovalEpoch;
                    writer.Fold(run);
                    foreach (var one in run) model.Add(writer.Fingerprint, one.Event, silo.Storage.Counted.Names);
                    break;
            }
            if (step % 10 == 9) await RunningLog.AssertProven(database);
            if (step % 25 == 24) await AssertEqual(database, model, ValuesMax);
        }
        await AssertEqual(database, model, ValuesMax);
        await RunningLog.AssertProven(database);
        Assert.NotEmpty(await at.Query("select 1 from dimension_values where value = ''", row => row.GetInt32(0)));
        Assert.NotEmpty(await at.Query("select 1 from dimension_values where removed_events > 0",
            row => row.GetInt32(0)));
    }

    // A late event, at the edge of a day, with some of the values.
    private static Event Draw(Random random)
    {
        var properties = new Dictionary<string, object>();
        if (random.Next(4) > 0) properties["path"] = Values[random.Next(Values.Length)];
        if (random.Next(2) > 0) properties["plan"] = random.Next(3) switch { 0 => true, 1 => 7, _ => "free" };
        if (random.Next(3) > 0) properties["uncounted"] = new[] { "path" };
        var occurred = EventSamples.Noon.Date.AddDays(-random.Next(3)).AddTicks(-10 * random.Next(2));
        return EventSamples.View(product: random.Next(3) > 0 ? "k8s" : "vm", occurred: occurred) with
        {
            Properties = properties.Count == 0 ? null : JsonSerializer.Serialize(properties),
        };
    }

    private static async Task AssertEqual(Database database, DimensionModel model, int valuesMax)
    {
        while (await database.Storage.MergeDimensions(1_000) > 0) { }
        await using var audit = await database.Storage.OpenAudit(CancellationToken.None);
        var stored = new Dictionary<DimensionKey, DimensionCounts>();
        await foreach (var (key, counts, _) in audit.DimensionValues(CancellationToken.None)) stored.Add(key, counts);
        foreach (var day in stored.GroupBy(one => one.Key with { Value = "" }))
        {
            Assert.InRange(day.Count(one => one.Key.Value != ""), 1, valuesMax);
            var kept = day.Select(one => one.Key.Value).Where(value => value != "").ToHashSet();
            foreach (var (key, counts) in day)
                Assert.Equal(model.Count(key, key.Value != "" ? [key.Value] : model.ValuesOf(key).Except(kept)), counts);
            Assert.Equal(model.Count(day.Key, model.ValuesOf(day.Key)).Events, day.Sum(one => one.Value.Events));
        }
        Assert.Equal(model.Days, stored.Keys.Select(key => key with { Value = "" }).ToHashSet());
    }

    /// <summary>All values with the events of each fingerprint. An erased one comes back as another.</summary>
    private sealed class DimensionModel
    {
        private readonly List<(DimensionKey Key, string Fingerprint)> events = [];
        private readonly Dictionary<string, int> erasures = [];

        public HashSet<DimensionKey> Days => [.. events.Select(one => one.Key with { Value = "" })];

        public void Erase(string fingerprint) => erasures[fingerprint] = erasures.GetValueOrDefault(fingerprint) + 1;

        public void Add(string fingerprint, Event e, IReadOnlyList<string> counted)
        {
            if (e.Properties is null) return;
            using var properties = JsonDocument.Parse(e.Properties);
            foreach (var one in properties.RootElement.EnumerateObject())
                if (counted.Contains(one.Name))
                    events.Add((new(DateOnly.FromDateTime(e.Occurred), e.Product, one.Name,
                        one.Value.ValueKind == JsonValueKind.String ? one.Value.GetString()! : one.Value.GetRawText()),
                        $"{fingerprint} {erasures.GetValueOrDefault(fingerprint)}"));
        }

        public IEnumerable<string> ValuesOf(DimensionKey day) =>
            events.Where(one => one.Key with { Value = "" } == day with { Value = "" }).Select(one => one.Key.Value)
                .Distinct();

        public DimensionCounts Count(DimensionKey day, IEnumerable<string> values)
        {
            var keys = values.Select(value => day with { Value = value }).ToHashSet();
            var found = events.Where(one => keys.Contains(one.Key)).ToList();
            return new(found.Count, found.Select(one => one.Fingerprint).Distinct().Count());
        }
    }
}
