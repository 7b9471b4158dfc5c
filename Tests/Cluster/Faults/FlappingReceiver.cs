using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using Tally.Tests.Harness;

namespace Tally.Tests.Cluster.Faults;

/// <summary>
/// A receiver of webhooks that is well, fails, or is away, each for a moment, until it is told to stay well. The seed
/// determines the order of these moments and of the answers, but not which request meets which.
/// </summary>
internal sealed class FlappingReceiver : IAsyncDisposable
{
    private const int MomentMillisecondsMin = 500;
    private const int MomentMillisecondsMax = 3_000;

    private readonly string address;
    private readonly int port = FreePort.Next();
    private readonly Random moments;
    private readonly Random answers;
    private readonly ConcurrentQueue<WebhookReceiver> lives = [];
    private readonly ConcurrentQueue<Received> taken = [];
    private readonly CancellationTokenSource calming = new();
    private WebhookReceiver? alive;
    private Task flapping = Task.CompletedTask;
    private volatile bool isWell = true;

    private FlappingReceiver(string address, int seed)
    {
        this.address = address;
        moments = new(seed);
        answers = new(seed);
    }

    public string Url => $"http://{address}:{port}/hook";

    /// <summary>All requests, in the order in which they came.</summary>
    public IReadOnlyList<Received> All => [.. lives.SelectMany(life => life.All)];

    /// <summary>Those that were answered with 200.</summary>
    public IReadOnlyList<Received> Taken => [.. taken];

    public static async Task<FlappingReceiver> Start(string address, int seed)
    {
        var receiver = new FlappingReceiver(address, seed);
        await receiver.Live();
        receiver.flapping = Task.Run(receiver.Flap);
        return receiver;
    }

    /// <summary>From now on it takes every request.</summary>
    public async Task StayWell()
    {
        await calming.CancelAsync();
        await flapping;
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await StayWell();
        }
        finally
        {
            if (alive is not null) await alive.DisposeAsync();
            calming.Dispose();
        }
    }

    private async Task Flap()
    {
        while (!calming.IsCancellationRequested)
        {
            var moment = moments.Next(4);
            isWell = moment == 0;
            if (moment == 1) await GoAway();
            else if (alive is null) await Live();
            await Task.Delay(moments.Next(MomentMillisecondsMin, MomentMillisecondsMax), calming.Token)
                .ContinueWith(_ => { }, TaskScheduler.Default);
        }
        isWell = true;
        if (alive is null) await Live();
    }

    private async Task Live()
    {
        alive = await WebhookReceiver.Start(port, address, Answer);
        lives.Enqueue(alive);
    }

    private async Task GoAway()
    {
        if (alive is null) return;
        await alive.DisposeAsync(); // what it has not answered is cut off
        alive = null;
    }

    private Task Answer(HttpContext context, Received request)
    {
        int chance;
        lock (answers) chance = isWell ? 0 : answers.Next(8);
        switch (chance)
        {
            case < 4:
                taken.Enqueue(request);
                return WebhookReceiver.Status(200)(context, request);
            case < 6:
                return WebhookReceiver.Status(500)(context, request);
            case 6:
                return WebhookReceiver.Hang(context, request);
            default:
                context.Abort();
                return Task.CompletedTask;
        }
    }
}
