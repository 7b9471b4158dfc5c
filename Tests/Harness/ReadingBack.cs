using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Tally.Contracts;

namespace Tally.Tests.Harness;

/// <summary>
/// Queries after acknowledgements, each through one of the addresses by chance and over a connection of its own. One
/// that asks a stopped process waits until that wakes up: what it says then is what such a query is for.
/// </summary>
public sealed class ReadingBack(IReadOnlyList<IPEndPoint> addresses, LoadHistory history)
{
    private const int UnderWayMax = 64;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly SemaphoreSlim room = new(UnderWayMax);

    /// <summary>Sends one and does not wait for it; none where too many are under way.</summary>
    public void Start(string fingerprint, long acknowledged, Random random)
    {
        var address = addresses[random.Next(addresses.Count)];
        if (room.Wait(0)) _ = Read(fingerprint, acknowledged, address);
    }

    /// <summary>Completes when all that were sent are answered.</summary>
    public async Task Finish()
    {
        for (var i = 0; i < UnderWayMax; i++) await room.WaitAsync();
    }

    private async Task Read(string fingerprint, long acknowledged, IPEndPoint address)
    {
        var sentAt = Stopwatch.GetTimestamp();
        void Add(long? seen, string through) => history.ReadsBack.Enqueue(
            new(fingerprint, acknowledged, seen, through, sentAt, Stopwatch.GetTimestamp()));

        try
        {
            using var patience = new CancellationTokenSource(Patience);
            using var wire = await HttpWire.Connect(address);
            var reply = wire is null ? null
                : await wire.Ask(HttpWire.GetOf($"/api/fingerprints/{Uri.EscapeDataString(fingerprint)}"),
                    patience.Token);
            long? seen = reply?.Status switch
            {
                200 => JsonSerializer.Deserialize<FingerprintView>(reply.Body, JsonSerializerOptions.Web)!.Sequence,
                404 => 0,
                _ => null,
            };
            Add(seen, $"{address}");
        }
        catch (OperationCanceledException)
        {
            Add(null, $"{address}: no answer");
        }
        finally
        {
            room.Release();
        }
    }
}
