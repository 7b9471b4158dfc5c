using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Tally.Contracts;

namespace Tally.Tests.Harness;

/// <summary>
/// Queries after acknowledgements, each to a random address over its own connection. A query to a paused process waits
/// until it resumes, because a stale answer would show then.
/// </summary>
public sealed class ReadingBack(IReadOnlyList<IPEndPoint> addresses, LoadHistory history)
{
    private const int UnderWayMax = 64;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly SemaphoreSlim room = new(UnderWayMax);

    /// <summary>Sends a query without waiting for it, unless too many are under way.</summary>
    public void Start(string fingerprint, long acknowledged, Random random)
    {
        var address = addresses[random.Next(addresses.Count)];
        if (room.Wait(0)) _ = Read(fingerprint, acknowledged, address);
    }

    /// <summary>Completes when every query has ended.</summary>
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
