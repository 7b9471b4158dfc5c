using System.Globalization;
using Tally.Bench;
using Tally.Silo.Storage;

// dotnet run -c Release --project Bench -- DBURL [seconds a turn] [turns] [connections]
if (args is ["serve-insert", var servePort, var serveDatabase])
{
    await InsertServer.Run(int.Parse(servePort, CultureInfo.InvariantCulture), serveDatabase);
    return;
}

if (args is ["serve-bare", var barePort])
{
    await InsertServer.RunBare(int.Parse(barePort, CultureInfo.InvariantCulture));
    return;
}
if (args is ["load", var loadPort, var loadSeconds, var loadKind])
{
    long n = Random.Shared.NextInt64(1L << 38);
    var load = await LoadClient.Run(int.Parse(loadPort, CultureInfo.InvariantCulture), 256, int.Parse(loadSeconds, CultureInfo.InvariantCulture),
        loadKind == "hot" ? () => Random.Shared.NextInt64(1_000) : () => Interlocked.Increment(ref n));
    Console.WriteLine(load);
    return;
}

var url = (DatabaseUrl.Postgres)DatabaseUrl.Parse(args[0]);
int Argument(int index, int fallback) => args.Length > index ? int.Parse(args[index], CultureInfo.InvariantCulture) : fallback;
var seconds = Argument(1, 10);
var turns = Argument(2, 3);
var connections = Argument(3, 256);
const double WarmUpSeconds = 15;
const int HotFingerprints = 1_000;

long counter = 0;
var workloads = new Dictionary<string, Func<long>>
{
    ["hot"] = () => Random.Shared.NextInt64(HotFingerprints),
    ["new"] = () => HotFingerprints + Interlocked.Increment(ref counter),
};

await using var bare = await Contender.StartBare();
await using var insert = await Contender.StartInsert(url.Settings.ConnectionString);
await using var tally = await Contender.StartTally(url.Settings.ConnectionString);
Console.WriteLine($"{connections} connections, {turns} turns of {seconds} s each, medians of events/s");
foreach (var (workload, next) in workloads)
{
    Contender[] contenders = [bare, insert, tally];
    var figures = contenders.ToDictionary(contender => contender.Name, _ => new List<double>());
    foreach (var contender in contenders) await LoadClient.Run(contender.Port, connections, WarmUpSeconds, next);
    for (var turn = 0; turn < turns; turn++)
        foreach (var contender in contenders)
        {
            var result = await LoadClient.Run(contender.Port, connections, seconds, next);
            if (result.Failed > 0) Console.WriteLine($"{contender.Name}: {result.Failed} requests failed");
            figures[contender.Name].Add(result.PerSecond);
        }
    double Median(string name) => figures[name].Order().ElementAt(figures[name].Count / 2);
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"{workload}: bare {Median("bare"):N0}, insert {Median("insert"):N0}, tally {Median("tally"):N0}; "
        + $"tally / insert {Median("tally") / Median("insert"):F2}, tally / bare {Median("tally") / Median("bare"):F2}"));
}
