using System.Diagnostics;
using System.Net.Sockets;
using Tally.Bench.Client;
using Tally.Bench.Contenders;
using Tally.Bench.Results;
using Tally.Bench.Workloads;
using Tally.Tests.Harness;

namespace Tally.Bench.Parts;

/// <summary>
/// The published app from its start: the time to the first answered event, and its speed before it is warm.
/// </summary>
internal static class StartUp
{
    public const string FirstSeconds = "throughput of seconds 1 to 5 / steady, hot";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private const int EarlySeconds = 5, SteadyFrom = 15, SteadyTo = 25;

    public static async Task Run(Settings settings, Ground ground, Report report, CancellationToken cancellation)
    {
        var database = await ground.CreateDatabase();
        await ground.Migrate(database); // not measured, because it happens only once
        List<double> firstAnswers = [], ratios = [];
        for (var turn = 0; turn < settings.Turns; turn++)
        {
            cancellation.ThrowIfCancellationRequested();
            var requests = new Requests(Dialect.Events.Prepare(Ask.RecordEvent), Draw.Hot());
            var port = FreePort.Next();
            var start = Stopwatch.GetTimestamp();
            await using var app =
                ServerProcess.Launch(ground.Folder, port, ground.App, Entrant.TallyFlags(port, database));
            while (!Answers(port, requests))
            {
                if (Stopwatch.GetElapsedTime(start) > Patience) throw new TimeoutException("The app does not start.");
                await Task.Delay(5, cancellation);
            }
            firstAnswers.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);

            var seconds =
                LoadClient.Run([port], requests,
                    new(settings.Connections.Max(), TimeSpan.FromSeconds(SteadyTo))).BySecond;
            ratios.Add(seconds.Take(EarlySeconds).Average() / seconds.Take(SteadyFrom..SteadyTo).Average());
            await app.Stop();
        }
        report.Figures.Add(new("start-up to the first 200", new(firstAnswers), "s"));
        report.Figures.Add(new(FirstSeconds, new(ratios), "ratio"));
    }

    private static bool Answers(int port, Requests requests)
    {
        try
        {
            return LoadClient.Run([port], requests, new(Connections: 1, Patience, RequestsMax: 1)).Answered == 1;
        }
        catch (Exception exception) when (exception is SocketException or IOException)
        {
            return false; // not listening yet
        }
    }
}
